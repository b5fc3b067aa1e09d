# Keys, values, contradictions, the command line.
good 'stage 2   rl (grpo): 2 prompts x 2 samples|data    task arithmetic|reward  number x 1|learns  lr|\
grpo    temperature 1|template  plain|evaluate  at each|steps     3 in all|saves     |output    out (new)|\
nothing was written|>    vocab_size: 261|>template: plain' \
    r1-train "$in/tiny.yaml" --output out --dry-run
good '>  numeric_path: ref' env R1_CPU_MASK=0 r1-train "$in/tiny.yaml" --dry-run
train 64 'sede|did you mean seed?' sede=2
train 64 "'rl' is a stage|rl.KEY=value" rl=5
train 64 "no stage 'rll'|did you mean rl?" rll.lr=1e-3
train 64 'rl.learning_rate|unknown key|did you mean lr?' rl.learning_rate=1e-3
train 64 'rl.num_generations|did you mean group_size?' rl.num_generations=4
train 64 "'nmber'|did you mean number?" rewards.nmber.weight=2
train 64 'rewards.number.ngram: 3: ngram is no key of reward number' rewards.number.ngram=3
train 64 "reward 'exec': there is no program 'no-such-program'" \
    'rewards=[{name: exec, command: [no-such-program]}]'
train 64 "reward 'cosine' goes by the verdict of the first reward" 'rewards=[{name: cosine}]'
train 65 "no reward is for the row's data_source" 'rewards=[{name: number, source: gsm8k}]'
train 64 'optimizer.lr|it is a key of a stage' optimizer.lr=1
train 64 'warm.group_size|is no key of kind sft' warm.group_size=2
train 64 'seed|x is not an integer' seed=x
train 64 'rl.lr|fast is not a number' rl.lr=fast
train 64 'rl.temperature|0 is outside' rl.temperature=0
train 64 'eval.greedy|maybe is not true or false' eval.greedy=maybe
train 64 'compute.dtype|fp16 is none of fp32, bf16' compute.dtype=fp16
train 64 'stop|is not a list of texts' rl.stop=x
train 64 'template|a mapping is not a text|quotes' 'template=Q: {prompt}'
train 64 'template=Q: {prompt|not valid YAML|quotes' 'template=Q: {prompt'
train 64 'template|chatlm|did you mean chatml?' template=chatlm
train 64 'not of the form key.path=value' seed
train 64 'rl.group_size|at least 2 samples' rl.group_size=1
train 64 'rl.minibatch|3 is not a multiple of group_size (2)' rl.minibatch=3
train 64 'rl.minibatch|does not divide' rl.minibatch=8
train 64 'rl.total_updates|3 is not a multiple' rl.total_updates=3 rl.inner_epochs=2
train 64 'rl.warmup|5 is above total_updates' rl.warmup=5
train 64 'rl.top_k|mismatch_cap' rl.top_k=5
train 64 'max_tokens_per_microbatch|10 is below one longest' limits.max_tokens_per_microbatch=10
train 64 'rl.max_response_len|max_positions' rl.max_response_len=100 model.config.max_positions=128
train 64 'virtual_learners|6 is not a power of two' topology.virtual_learners=6
train 64 'async.max_staleness|only 0 (synchronous)' async.max_staleness=1
train 64 'model.config.kv_heads|does not divide heads' model.config.kv_heads=3 model.config.heads=4
train 64 'model.config.vocab_size|10|261' model.config.vocab_size=10
train 64 'no-such|unknown option' --no-such
train 74 "'nosuch.gguf' does not exist|(relative to|deploy/get-model" model.init=none model.path=nosuch.gguf
bad 64 'no configuration' r1-train
bad 74 'nosuch.yaml' r1-train nosuch.yaml
bad 64 "no key 'klcoef'" r1-train --help-config klcoef
bad 64 'twice.yaml:2|the key is given twice|line 1' r1-train "$in/twice.yaml"
bad 64 'open.yaml:2|not valid YAML' r1-train "$in/open.yaml"
bad 64 'nome.yaml:1|did you mean name?' r1-train "$in/nome.yaml"
bad 64 'alias.yaml:1|not supported' r1-train "$in/alias.yaml"
bad 64 'utf8.yaml|is it UTF-8' r1-train "$in/utf8.yaml"
bad 64 'name|is no directory name' r1-train "$in/tiny.yaml" name=a/b
train 64 'compute.threads: 4000 is more than 8 for each' compute.threads=4000
train 64 'limits.kv_memory|MiB free' limits.kv_memory=100TiB
bad 64 'the largest useful np is 5' mpirun -np 6 r1-train "$in/tiny.yaml" topology.mode=split
bad 64 'virtual_learners >= 3' mpirun -np 3 r1-train "$in/tiny.yaml" topology.virtual_learners=2
bad 64 'needs at least 2 ranks' r1-train "$in/tiny.yaml" topology.mode=split
train 64 "--from nosuch: the configuration has no such stage" --from nosuch
train 74 '--resume nosuch: this does not exist (auto, no or' --resume nosuch
train 64 'in: no checkpoint' --resume "$in"
