# R, and an image that has it.
spark-submit --image r-spark:4 --class ignored analysis.R 1 2
