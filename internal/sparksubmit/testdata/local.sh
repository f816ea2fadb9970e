# A script that was tried out on a laptop.
spark-submit --master "local[*]" --driver-memory 4g job.py input.csv
