# Wheels on the path work only if they have no compiled code.
spark-submit --py-files dist/pkg-1.0-py3-none-any.whl etl.py
