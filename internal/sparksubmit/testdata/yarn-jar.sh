# A jar with its configuration beside it, options with quotes, and blanks in them.
spark-submit --class com.example.etl.Main --master yarn --deploy-mode cluster \
  --driver-java-options "-Dlog4j.configurationFile=log4j2.xml -Dconfig.file=app.conf" \
  --conf "spark.executor.extraJavaOptions=-XX:+UseG1GC -Dgreeting='hello world'" \
  --files conf/app.conf,conf/log4j2.xml \
  --jars lib/a.jar,lib/b.jar \
  target/etl.jar "an argument" --files theirs
