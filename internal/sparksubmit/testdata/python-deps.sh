# Python with modules, jars and packages.
spark-submit --py-files src,lib/helpers.zip,lib/more.egg --jars lib/postgres.jar \
  --packages org.apache.spark:spark-avro_2.13:4.3.0,io.delta:delta-spark_2.13:4.0.0 --exclude-packages org.slf4j:slf4j-api \
  --repositories https://repo.example.com/maven \
  etl.py 2026
