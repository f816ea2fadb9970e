# Files of the distributed cache join those of the options.
spark-submit --master yarn --deploy-mode cluster \
  --conf spark.yarn.dist.files=hdfs:///conf/site.xml --files hdfs:///conf/own.xml \
  --conf spark.yarn.dist.archives=hdfs:///envs/a.tgz#a --conf spark.yarn.dist.jars=hdfs:///lib/x.jar \
  job.py
