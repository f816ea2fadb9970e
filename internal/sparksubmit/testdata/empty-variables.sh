# Variables that a script leaves empty count as if the option were not there.
spark-submit --jars "$EXTRA_JARS" --py-files "" --name "" --queue "$QUEUE" job.py "$NOTHING" last
