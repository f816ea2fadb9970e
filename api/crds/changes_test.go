package crds_test

// inOrder is an application that is in order, which the changes below are merged into.
const inOrder = `
apiVersion: sparkoperator.k8s.io/v1beta2
kind: SparkApplication
metadata: {name: sales, namespace: default}
spec:
  type: Python
  sparkVersion: 4.3.0
  mainApplicationFile: local:///opt/spark/work-dir/job.py
  driver: {}
  executor: {}
`

// taken are changes that leave an application in order.
var taken = map[string]struct{ reason, change string }{
	"NoChange": {
		reason: "This is the least that an application has.",
		change: `{}`,
	},
	"Scala": {
		reason: "A jar needs its main class.",
		change: `{spec: {type: Scala, mainClass: org.example.Sales, mainApplicationFile: "local:///opt/sales.jar"}}`,
	},
	"RetriesOfBothKinds": {
		reason: "Manifests for OnFailure set all four.",
		change: `{spec: {restartPolicy: {type: OnFailure, onFailureRetries: 3, onFailureRetryInterval: 10, onSubmissionFailureRetries: 5, onSubmissionFailureRetryInterval: 20}}}`,
	},
	"RetriesWithNever": {
		reason: "Manifests like this are in use; the retries have never had an effect.",
		change: `{spec: {restartPolicy: {type: Never, onSubmissionFailureRetries: 3, onSubmissionFailureRetryInterval: 5}}}`,
	},
	"MemoryWithLongUnit": {
		reason: "Spark reads units of two letters.",
		change: `{spec: {driver: {memory: 2gb, memoryOverhead: 512MB}}}`,
	},
	"MemoryWithoutUnit": {
		reason: "Spark reads a bare number as MiB.",
		change: `{spec: {driver: {memory: "1024", memoryOverhead: "384"}}}`,
	},
	"MemoryInCapitals": {
		reason: "Spark does not tell G from g.",
		change: `{spec: {executor: {memory: 2G, memoryLimit: 3G}}}`,
	},
	"MemoryLimitInKubernetesNotation": {
		reason: "The existing operator takes both notations here.",
		change: `{spec: {driver: {memoryLimit: 2Gi}, executor: {memoryLimit: 1.5Gi}}}`,
	},
	"PartsOfCores": {
		reason: "CPU is a quantity of Kubernetes.",
		change: `{spec: {driver: {coreRequest: "0.1", coreLimit: 1200m}}}`,
	},
	"ShortMemoryOverheadFactor": {
		reason: "Java reads a number that begins with its point.",
		change: `{spec: {memoryOverheadFactor: ".2"}}`,
	},
	"NoExecutors": {
		reason: "A driver can do without, and dynamic allocation starts there.",
		change: `{spec: {executor: {instances: 0}}}`,
	},
	"NoAccelerators": {
		reason: "Templates of manifests write 0 for none.",
		change: `{spec: {executor: {gpu: {name: nvidia.com/gpu, quantity: 0}}}}`,
	},
	"NodeSelectorForEach": {
		reason: "Driver and executors can be kept apart.",
		change: `{spec: {driver: {nodeSelector: {a: b}}, executor: {nodeSelector: {c: d}}}}`,
	},
	"EmptyNodeSelectorForAll": {
		reason: "An empty selector selects nothing that could disagree.",
		change: `{spec: {nodeSelector: {}, driver: {nodeSelector: {a: b}}}}`,
	},
	"DynamicAllocationTurnedOff": {
		reason: "Bounds that are not in force need not agree.",
		change: `{spec: {dynamicAllocation: {enabled: false, minExecutors: 5, maxExecutors: 2}}}`,
	},
	"DynamicAllocationWithEqualBounds": {
		reason: "The bounds are inclusive.",
		change: `{spec: {dynamicAllocation: {enabled: true, initialExecutors: 2, minExecutors: 2, maxExecutors: 2}}}`,
	},
	"TemplateWithoutContainers": {
		reason: "Spark adds its container.",
		change: `{spec: {driver: {template: {metadata: {labels: {a: b}}, spec: {priority: 5}}}}}`,
	},
	"TemplateWrittenInGo": {
		reason: "Go clients write null for these.",
		change: `{spec: {executor: {template: {metadata: {creationTimestamp: null}, spec: {containers: null}}}}}`,
	},
	"LongestName": {
		reason: "Airflow shortens names to 63 characters.",
		change: `{metadata: {name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}}`,
	},
	"Suspended": {
		reason: "Queues create applications suspended.",
		change: `{spec: {suspend: true}}`,
	},
}

// refused are changes that put an application out of order, and what the API server says to them.
var refused = map[string]struct{ reason, change, want string }{
	"MemoryWithSpace": {
		reason: "The message names the field, the value and the way out.",
		change: `{spec: {driver: {memory: 1 GB}}}`,
		want:   `spec.driver.memory: Invalid value: "1 GB": not a size that Spark reads; write a whole number and a unit, such as 1g or 1024m`,
	},
	"MemoryInKubernetesNotation": {
		reason: "Spark's units have no i.",
		change: `{spec: {executor: {memory: 2Gi}}}`,
		want:   `spec.executor.memory: Invalid value: "2Gi": not a size that Spark reads; write a whole number and a unit, such as 1g or 1024m`,
	},
	"MemoryWithFraction": {
		reason: "Spark reads whole numbers only.",
		change: `{spec: {driver: {memory: 1.5g}}}`,
		want:   `spec.driver.memory: Invalid value: "1.5g": not a size that Spark reads; write a whole number and a unit, such as 1g or 1024m`,
	},
	"MemoryOverheadWithoutNumber": {
		reason: "A unit alone is no size.",
		change: `{spec: {driver: {memoryOverhead: g}}}`,
		want:   `spec.driver.memoryOverhead: Invalid value: "g": not a size that Spark reads; write a whole number and a unit, such as 1g or 1024m`,
	},
	"MemoryAsNumber": {
		reason: "YAML's numbers are not strings, and their unit would be a guess.",
		change: `{spec: {driver: {memory: 1024}}}`,
		want:   `spec.driver.memory: Invalid value: "integer": spec.driver.memory in body must be of type string: "integer"`,
	},
	"MemoryLimitInWords": {
		reason: "A limit may be in either notation, but in one.",
		change: `{spec: {driver: {memoryLimit: much}}}`,
		want:   `spec.driver.memoryLimit: Invalid value: "much": not a size; write a whole number and a unit, such as 2g or 2Gi`,
	},
	"MemoryOverheadFactorInPercent": {
		reason: "The factor is a share.",
		change: `{spec: {memoryOverheadFactor: 20%}}`,
		want:   `spec.memoryOverheadFactor: Invalid value: "20%": not a share; write a decimal number above 0, such as "0.2"`,
	},
	"MemoryOverheadFactorOfZero": {
		reason: "Spark refuses a factor that is not above 0.",
		change: `{spec: {memoryOverheadFactor: "0.0"}}`,
		want:   `spec.memoryOverheadFactor: Invalid value: "0.0": not a share; write a decimal number above 0, such as "0.2"`,
	},
	"CoreRequestInWords": {
		reason: "CPU is a quantity of Kubernetes.",
		change: `{spec: {driver: {coreRequest: half}}}`,
		want:   `spec.driver.coreRequest: Invalid value: "half": not an amount of CPU; write cores or thousandths of one, such as 1.5 or 500m`,
	},
	"CoreLimitOfZero": {
		reason: "A limit of nothing lets nothing run.",
		change: `{spec: {executor: {coreLimit: "0"}}}`,
		want:   `spec.executor.coreLimit: Invalid value: "0": not an amount of CPU; write cores or thousandths of one, such as 1.5 or 500m`,
	},
	"NoCores": {
		reason: "A pod without a core runs no task.",
		change: `{spec: {executor: {cores: 0}}}`,
		want:   `spec.executor.cores: Invalid value: 0: spec.executor.cores in body should be greater than or equal to 1`,
	},
	"NegativeInstances": {
		reason: "There is no negative number of executors.",
		change: `{spec: {executor: {instances: -1}}}`,
		want:   `spec.executor.instances: Invalid value: -1: spec.executor.instances in body should be greater than or equal to 0`,
	},
	"UnknownType": {
		reason: "The API server lists what there is.",
		change: `{spec: {type: Kotlin}}`,
		want:   `spec.type: Unsupported value: "Kotlin": supported values: "Java", "Python", "Scala", "R"`,
	},
	"NoType": {
		reason: "What is required is said to be.",
		change: `{spec: {type: null}}`,
		want:   `spec.type: Required value`,
	},
	"UnknownMode": {
		reason: "The API server lists what there is.",
		change: `{spec: {mode: local}}`,
		want:   `spec.mode: Unsupported value: "local": supported values: "cluster", "client"`,
	},
	"ScalaWithoutMainClass": {
		reason: "Without a JVM a jar's manifest is not read, and Spark reads it from files on the submitting machine only.",
		change: `{spec: {type: Scala}}`,
		want:   `spec.mainClass: Required value: a Scala application needs the class with its main method, such as org.example.Main`,
	},
	"JavaWithEmptyMainClass": {
		reason: "An empty class is none.",
		change: `{spec: {type: Java, mainClass: ""}}`,
		want:   `spec.mainClass: Required value: a Java application needs the class with its main method, such as org.example.Main`,
	},
	"EmptyMainApplicationFile": {
		reason: "A required file has to have a name.",
		change: `{spec: {mainApplicationFile: ""}}`,
		want:   `spec.mainApplicationFile: Invalid value: "": name the jar, Python or R file to run, such as local:///opt/spark/work-dir/job.py or s3a://bucket/job.py`,
	},
	"EmptySparkVersion": {
		reason: "The version decides what is made.",
		change: `{spec: {sparkVersion: ""}}`,
		want:   `spec.sparkVersion: Invalid value: "": name the version of Spark in the image, such as 4.3.0`,
	},
	"UnknownPythonVersion": {
		reason: "The API server lists what there is.",
		change: `{spec: {pythonVersion: "3.12"}}`,
		want:   `spec.pythonVersion: Unsupported value: "3.12": supported values: "2", "3"`,
	},
	"NodeSelectorForAllAndDriver": {
		reason: "It would not be clear which wins.",
		change: `{spec: {nodeSelector: {a: b}, driver: {nodeSelector: {c: d}}}}`,
		want:   `spec.nodeSelector: Forbidden: spec.driver.nodeSelector is set as well; set spec.nodeSelector for all pods, or those of spec.driver and spec.executor`,
	},
	"NodeSelectorForAllAndExecutor": {
		reason: "It would not be clear which wins.",
		change: `{spec: {nodeSelector: {a: b}, executor: {nodeSelector: {c: d}}}}`,
		want:   `spec.nodeSelector: Forbidden: spec.executor.nodeSelector is set as well; set spec.nodeSelector for all pods, or those of spec.driver and spec.executor`,
	},
	"FewestMoreThanMost": {
		reason: "Spark ends with an error on this.",
		change: `{spec: {dynamicAllocation: {enabled: true, minExecutors: 5, maxExecutors: 2}}}`,
		want:   `spec.dynamicAllocation.minExecutors: Invalid value: minExecutors is more than maxExecutors; write minExecutors <= initialExecutors <= maxExecutors`,
	},
	"InitialFewerThanFewest": {
		reason: "Spark ignores such a start.",
		change: `{spec: {dynamicAllocation: {enabled: true, initialExecutors: 1, minExecutors: 2}}}`,
		want:   `spec.dynamicAllocation.initialExecutors: Invalid value: minExecutors is more than initialExecutors; write minExecutors <= initialExecutors <= maxExecutors`,
	},
	"InitialMoreThanMost": {
		reason: "The most is the most.",
		change: `{spec: {dynamicAllocation: {enabled: true, initialExecutors: 9, maxExecutors: 2}}}`,
		want:   `spec.dynamicAllocation.initialExecutors: Invalid value: initialExecutors is more than maxExecutors; write minExecutors <= initialExecutors <= maxExecutors`,
	},
	"MostOfZero": {
		reason: "Spark ends with an error on this.",
		change: `{spec: {dynamicAllocation: {enabled: true, maxExecutors: 0}}}`,
		want:   `spec.dynamicAllocation.maxExecutors: Invalid value: 0: spec.dynamicAllocation.maxExecutors in body should be greater than or equal to 1`,
	},
	"UnknownRestartPolicy": {
		reason: "The API server lists what there is.",
		change: `{spec: {restartPolicy: {type: Sometimes}}}`,
		want:   `spec.restartPolicy.type: Unsupported value: "Sometimes": supported values: "Never", "Always", "OnFailure"`,
	},
	"NegativeRetries": {
		reason: "There is no negative number of retries.",
		change: `{spec: {restartPolicy: {type: OnFailure, onFailureRetries: -1}}}`,
		want:   `spec.restartPolicy.onFailureRetries: Invalid value: -1: spec.restartPolicy.onFailureRetries in body should be greater than or equal to 0`,
	},
	"RetryWithoutWait": {
		reason: "An interval of nothing would retry in a tight loop.",
		change: `{spec: {restartPolicy: {type: OnFailure, onFailureRetryInterval: 0}}}`,
		want:   `spec.restartPolicy.onFailureRetryInterval: Invalid value: 0: spec.restartPolicy.onFailureRetryInterval in body should be greater than or equal to 1`,
	},
	"NegativeTimeToLive": {
		reason: "An application does not end before it begins.",
		change: `{spec: {timeToLiveSeconds: -1}}`,
		want:   `spec.timeToLiveSeconds: Invalid value: -1: spec.timeToLiveSeconds in body should be greater than or equal to 0`,
	},
	"UnknownSecretType": {
		reason: "A misspelt type would mount the Secret and set nothing.",
		change: `{spec: {driver: {secrets: [{name: a, path: /a, secretType: Google}]}}}`,
		want:   `spec.driver.secrets[0].secretType: Unsupported value: "Google": supported values: "GCPServiceAccount", "HadoopDelegationToken", "Generic"`,
	},
	"UnknownPullPolicy": {
		reason: "A pod would be refused later, out of sight.",
		change: `{spec: {imagePullPolicy: Sometimes}}`,
		want:   `spec.imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"`,
	},
	"PodNameInCapitals": {
		reason: "A pod would be refused later, out of sight.",
		change: `{spec: {driver: {podName: Sales_Driver}}}`,
		want:   `spec.driver.podName: Invalid value: "Sales_Driver": not a pod's name; write lower-case letters, digits, '-' and '.', such as sales-driver`,
	},
	"PortOutOfRange": {
		reason: "A pod would be refused later, out of sight.",
		change: `{spec: {driver: {ports: [{name: debug, protocol: TCP, containerPort: 70000}]}}}`,
		want:   `spec.driver.ports[0].containerPort: Invalid value: 70000: spec.driver.ports[0].containerPort in body should be less than or equal to 65535`,
	},
	"MetricsPortReserved": {
		reason: "The existing API has these bounds.",
		change: `{spec: {monitoring: {exposeDriverMetrics: true, exposeExecutorMetrics: true, prometheus: {jmxExporterJar: /a.jar, port: 80}}}}`,
		want:   `spec.monitoring.prometheus.port: Invalid value: 80: spec.monitoring.prometheus.port in body should be greater than or equal to 1024`,
	},
	"NameTooLong": {
		reason: "The name is a label of the pods.",
		change: `{metadata: {name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}}`,
		want:   `metadata: Invalid value: the name is longer than the 63 characters that a label of its pods can hold; shorten it`,
	},
	"TypingErrorInSpec": {
		reason: "A field that does not exist would be dropped in silence.",
		change: `{spec: {executor: {instance: 3}}}`,
		want:   `unknown field "spec.executor.instance"`,
	},
	"TypingErrorInTemplate": {
		reason: "The templates have their schema.",
		change: `{spec: {driver: {template: {spec: {nodeSelektor: {a: b}}}}}}`,
		want:   `unknown field "spec.driver.template.spec.nodeSelektor"`,
	},
	"WrongTypeInTemplate": {
		reason: "The templates have their schema.",
		change: `{spec: {driver: {template: {spec: {priority: high}}}}}`,
		want:   `spec.driver.template.spec.priority: Invalid value: "string": spec.driver.template.spec.priority in body must be of type integer: "string"`,
	},
}
