#!/bin/sh
#SBATCH --array=1-20
#SBATCH --cpus-per-task=4
#SBATCH --requeue
# A study on 20 machines: each plays its share of the parts into a folder of its own, and goes on there when it is
# started again. When all have ended: civsim merge out/share-* --out out/tradeoff
set -eu
civsim batch "${STUDY:-tradeoff}" --out "out/share-$SLURM_ARRAY_TASK_ID" --resume \
    --part "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --threads "$SLURM_CPUS_PER_TASK"
