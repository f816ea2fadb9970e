# The jar's manifest names the class.
spark-submit --verbose target/etl.jar
