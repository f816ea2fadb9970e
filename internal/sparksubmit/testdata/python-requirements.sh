# Packages of PyPI.
spark-submit --requirements requirements.txt --python-version 3.10 etl.py
