# The candidate's process: runs solution.py, then calls its functions as the checker asks.  Nothing
# here is trusted, and nothing here knows what is expected.
import sys


def run():
    module = type(sys)("solution")
    sys.modules["solution"] = module
    failure = None
    try:
        with open("solution.py", encoding="utf-8", errors="surrogateescape") as f:
            source = f.read()
        exec(compile(source, "solution.py", "exec"), module.__dict__)
    except SystemExit:
        os._exit(1)
    except BaseException as e:
        failure = e
    while True:
        name, args, named = receive()
        try:
            if failure is not None:
                raise failure
            if name not in module.__dict__:
                raise NameError("name '%s' is not defined" % name)
            result = module.__dict__[name](*args, **named)
        except SystemExit:
            os._exit(1)
        except BaseException as e:
            reply = ("error", type(e).__name__, str(e)[:300])
        else:
            reply = ("value", result)
        try:
            send(reply)
        except NotPlain as e:
            send(("not plain", str(e)[:300]))


run()
