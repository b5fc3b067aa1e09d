"""TRL's GRPOTrainer with the settings of configs/smollm2-addition.yaml; prints the seconds it took."""
import re
import sys
import time

START = time.time()

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import GRPOConfig, GRPOTrainer

path, threads, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
torch.set_num_threads(threads)


def reward(completions, answer, **_):
    scores = []
    for completion, want in zip(completions, answer):
        numbers = re.findall(r"-?\d+", completion[0]["content"])
        scores.append(float(bool(numbers) and int(numbers[-1]) == want))
    return scores


pairs = [(a, b) for a in range(1, 21) for b in range(1, 21) if (min(a, b) * 31 + max(a, b)) % 5]
rows = [{"prompt": [{"role": "user", "content": f"What is {a} + {b}?"}], "answer": a + b} for a, b in pairs]
config = GRPOConfig(output_dir=out, use_cpu=True, bf16=True, per_device_train_batch_size=128,
                    num_generations=16, max_completion_length=24, learning_rate=2e-5,
                    lr_scheduler_type="constant", beta=0.0, epsilon=0.2, temperature=1.0,
                    loss_type="grpo", adam_beta1=0.9, adam_beta2=0.999, weight_decay=0.0, max_steps=16,
                    logging_steps=1, save_strategy="no", report_to=[], seed=1)
trainer = GRPOTrainer(model=AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32),
                      reward_funcs=reward, args=config, train_dataset=Dataset.from_list(rows),
                      processing_class=AutoTokenizer.from_pretrained(path))
trainer.train()
print(time.time() - START)
