# Rows of training and evaluation data.
file() { # EXIT_CODE FRAGMENTS NAME [ARGUMENT]...
    code=$1 fragments=$2 name=$3
    shift 3
    train "$code" "$fragments" data.train.task=none data.train.file="$in/$name.jsonl" \
        data.train.split=all data.eval.task=arithmetic data.eval.split=held_out "$@"
}
good '' r1-train "$in/tiny.yaml" --dry-run data.train.task=none \
    data.train.file="$in/bom.jsonl" data.train.split=all data.eval.task=arithmetic
# Plain text has no answers: the stage is not evaluated.
good 'text.jsonl, 1 row, 1 of them used' r1-train "$in/tiny.yaml" --dry-run \
    warm.data.train.task=none warm.data.train.file="$in/text.jsonl" warm.data.train.text_key=text \
    rewards='[{name: format}]'
file 74 'data.train.file|nosuch.jsonl' nosuch
train 74 'data.train.file|x.jsonl|(relative to' data.train.task=none data.train.file=x.jsonl
train 64 'data.train.file|R1_NO_SUCH_NAME is not set' data.train.task=none data.train.file='${R1_NO_SUCH_NAME}/x'
train 64 'data.train.file|given beside task' data.train.file=x.jsonl
file 65 'broken.jsonl:3' broken
file 65 "noprompt.jsonl:2|key 'question' is missing" noprompt
file 65 "noanswer.jsonl:2|key 'answer' is missing|answer_key" noanswer
file 65 "nullanswer.jsonl:2|key 'answer' is missing" nullanswer
file 65 "good.jsonl:1|key 'solution' is missing" good data.train.answer_key=solution
file 65 "gold.jsonl:2|reference 'a lot'|not one number" gold
file 65 "type.jsonl:2|key 'question' is neither" type
file 65 'utf8.jsonl:2' utf8
file 65 'list.jsonl:2|not a JSON object' list
file 65 'empty.jsonl: the file has no rows' empty
file 65 "10mb.jsonl:2|10000002 tokens, more than the model's context of 2048" 10mb
file 65 '17mb.jsonl:2|line of 17000' 17mb
file 65 'long.jsonl:2|102 tokens, more than limits.max_tokens_per_microbatch (90)' long \
    limits.max_prompt_len=80 limits.max_tokens_per_microbatch=90
file 65 'long.jsonl:2|100 tokens, limits.max_prompt_len is 64' long
file 65 'none of its 3 rows is held out' good data.train.split=held_out data.train.held_out_mod=999983
bad 74 'nosuch.jsonl' r1-grade number nosuch.jsonl
bad 65 'graded.jsonl:2' r1-grade number "$in/graded.jsonl"
bad 65 "nogold.jsonl:1|'gold'" r1-grade number "$in/nogold.jsonl"
bad 64 "'numbr' is unknown" r1-grade numbr "$in/graded.jsonl"
bad 64 '--from is no option of kind exact' r1-grade exact "$in/graded.jsonl" --from last
bad 64 "'report' takes two files" r1-grade report "$in/graded.jsonl"
bad 64 "'number' takes one file" r1-grade number "$in/graded.jsonl" "$in/graded.jsonl"
bad 65 'no output of r1-grade' r1-grade report "$in/graded.jsonl" "$in/graded.jsonl"
bad 64 "reward 'nubmer' is unknown" r1-grade lint "$in/gold.jsonl" --reward nubmer
bad 65 "gold.jsonl:1: key 'function' is missing" r1-grade shaping "$in/gold.jsonl"
bad 64 "target 'xx' is unknown" r1-grade language "$in/graded.jsonl" --target xx
bad 65 "gold.jsonl:1: key 'x' is missing" r1-grade lint "$in/gold.jsonl" --answer-key x

good 'the question holds 1 added token of the tokenizer as text, which template plain takes' \
    r1-train "$in/tiny.yaml" --dry-run data.train.task=none data.train.file="$in/think.jsonl" \
    data.train.split=all data.eval.task=arithmetic
good 'thinks.jsonl:2: the question holds 2 added tokens|stays plain text|1 with added tokens' \
    r1-train "$in/tiny.yaml" --dry-run data.train.task=none data.train.file="$in/thinks.jsonl" \
    data.train.split=all data.eval.task=arithmetic template='"Q: {prompt}"'
