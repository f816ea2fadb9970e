# A gateway that submits for others.
spark-submit --master yarn --deploy-mode cluster --proxy-user alice --driver-class-path conf/app.conf:/opt/x.jar --driver-library-path /opt/native job.py
