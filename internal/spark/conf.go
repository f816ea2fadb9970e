package spark

import (
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"brazier.sh/brazier/api/v1beta2"
)

// Classes that spark-submit puts before a program that the JVM cannot run itself: SparkSubmit.prepareSubmitEnvironment.
const (
	pythonRunner = "org.apache.spark.deploy.PythonRunner"
	rRunner      = "org.apache.spark.deploy.RRunner"
)

// sparkVersion in the name of an image stands for the version of Spark.
const sparkVersion = "{{SPARK_VERSION}}"

// noResource is spark-submit's word for an application whose main class is on the class path already.
const noResource = "spark-internal"

// assemble gathers the properties that spark-submit would have after reading its arguments. Later ones win:
//
//  1. the platform's defaults,
//  2. fields that the API's established operator passes before sparkConf (pull policy and secrets, the overhead
//     factor, the Python version), and which sparkConf therefore wins over,
//  3. spec.sparkConf and spec.hadoopConf,
//  4. all other fields, which that operator passes after sparkConf, or as options of spark-submit of their own, which
//     win over properties in SparkSubmitArguments (--jars, --packages, --name ...).
//
// The order is that of buildSparkSubmitArgs in kubeflow/spark-operator.
func assemble(app *v1beta2.SparkApplication, run Run, labels map[string]string, platform Platform, of release) *settings {
	s := newSettings()
	spec := field.NewPath("spec")

	s.setAll("", platform.SparkConf, field.NewPath("operator", "sparkConf"))
	if platform.APIServer != "" {
		s.fill("spark.kubernetes.driver.master", platform.APIServer, field.NewPath("operator", "apiServer"))
	}
	s.fill("spark.kubernetes.container.image.pullPolicy", "IfNotPresent", nil)
	s.setIf("spark.kubernetes.container.image.pullPolicy", string(app.Spec.ImagePullPolicy), spec.Child("imagePullPolicy"))
	s.setIf("spark.kubernetes.container.image.pullSecrets", strings.Join(app.Spec.ImagePullSecrets, ","), spec.Child("imagePullSecrets"))
	s.setIf("spark.kubernetes.memoryOverheadFactor", app.Spec.MemoryOverheadFactor, spec.Child("memoryOverheadFactor"))
	if of.pythonVersion {
		s.setIf("spark.kubernetes.pyspark.pythonVersion", app.Spec.PythonVersion, spec.Child("pythonVersion"))
	}

	s.setAll("", app.Spec.SparkConf, spec.Child("sparkConf"))
	s.setAll("spark.hadoop.", app.Spec.HadoopConf, spec.Child("hadoopConf"))

	setImages(s, app, platform)
	setDependencies(s, app)
	setDriver(s, app, platform)
	setExecutor(s, app, of)
	setLabels(s, app, labels)
	setDynamicAllocation(s, app)
	setMonitoring(s, app)
	s.setAll("spark.kubernetes.node.selector.", app.Spec.NodeSelector, spec.Child("nodeSelector"))
	s.setIf("spark.kubernetes.hadoop.configMapName", app.Spec.HadoopConfigMap, spec.Child("hadoopConfigMap"))
	setSubmission(s, app, run)
	return s
}

// setImages names the image of each role. The field's operator repeats spec.image for each role after sparkConf, so
// that it wins over images named there; the platform's image is for applications that name none at all.
func setImages(s *settings, app *v1beta2.SparkApplication, platform Platform) {
	spec := field.NewPath("spec")
	s.setIf("spark.kubernetes.container.image", app.Spec.Image, spec.Child("image"))
	if platform.Image != "" {
		s.fill("spark.kubernetes.container.image", platform.Image, nil)
	}
	roles := map[string]string{"driver": app.Spec.Driver.Image, "executor": app.Spec.Executor.Image}
	for role, image := range roles {
		key := "spark.kubernetes." + role + ".container.image"
		s.setIf(key, app.Spec.Image, spec.Child("image"))
		s.setIf(key, image, spec.Child(role, "image"))
	}
	// Driver and executors put their own version in the place of {{SPARK_VERSION}}. That of the application is put
	// there first, so that both run the same image even where its sparkVersion is not quite that of the image.
	for _, key := range []string{"container.image", "driver.container.image", "executor.container.image"} {
		key = "spark.kubernetes." + key
		if image := s.get(key); strings.Contains(image, sparkVersion) {
			s.set(key, strings.ReplaceAll(image, sparkVersion, strings.TrimSpace(app.Spec.SparkVersion)), s.said[key])
		}
	}
}

// setDependencies passes what the driver itself fetches when it starts. As options of spark-submit, these replace the
// properties of sparkConf rather than add to them.
func setDependencies(s *settings, app *v1beta2.SparkApplication) {
	deps, path := app.Spec.Deps, field.NewPath("spec", "deps")
	s.setIf("spark.jars", strings.Join(deps.Jars, ","), path.Child("jars"))
	s.setIf("spark.files", strings.Join(deps.Files, ","), path.Child("files"))
	s.setIf("spark.archives", strings.Join(deps.Archives, ","), path.Child("archives"))
	s.setIf("spark.submit.pyFiles", strings.Join(deps.PyFiles, ","), path.Child("pyFiles"))
	s.setIf("spark.jars.packages", strings.Join(deps.Packages, ","), path.Child("packages"))
	s.setIf("spark.jars.excludes", strings.Join(deps.ExcludePackages, ","), path.Child("excludePackages"))
	s.setIf("spark.jars.repositories", strings.Join(deps.Repositories, ","), path.Child("repositories"))

	s.fill("spark.submit.pyFiles", "", nil) // of every language
	if isJVM(app) {
		jars := s.list("spark.jars")
		if app.Spec.MainApplicationFile != noResource {
			jars = append(jars, app.Spec.MainApplicationFile)
		}
		s.set("spark.jars", strings.Join(jars, ","), path.Child("jars"))
	}
	// Ivy's default is below the user's home, which Spark's own images do not have.
	if s.has("spark.jars.packages") {
		s.fill("spark.jars.ivy", "/tmp/.ivy2", nil)
	}
}

func setDriver(s *settings, app *v1beta2.SparkApplication, platform Platform) {
	driver, path := &app.Spec.Driver, field.NewPath("spec", "driver")
	setPod(s, "driver", &driver.SparkPodSpec, path)
	s.setIf("spark.kubernetes.driver.master", driver.KubernetesMaster, path.Child("kubernetesMaster"))
	s.setIf("spark.kubernetes.authenticate.driver.serviceAccountName", driver.ServiceAccount, path.Child("serviceAccount"))
	s.setAll("spark.kubernetes.driver.service.annotation.", driver.ServiceAnnotations, path.Child("serviceAnnotations"))
	s.setAll("spark.kubernetes.driver.service.label.", driver.ServiceLabels, path.Child("serviceLabels"))
	s.setAll("spark.kubernetes.driverEnv.", driver.EnvVars, path.Child("envVars"))
	s.setIf("spark.kubernetes.driver.pod.name", driver.PodName, path.Child("podName"))

	// The API's default is the namespace's own account, which may not create pods: every application that does not
	// name one would start a driver that cannot get executors. So the platform's account is used, which installing
	// Brazier makes in the namespaces that it serves. Spark uses it for executors as well unless they name another.
	if driver.Template == nil || driver.Template.Spec.ServiceAccountName == "" {
		s.fill("spark.kubernetes.authenticate.driver.serviceAccountName", platform.serviceAccount(), nil)
	}
}

func setExecutor(s *settings, app *v1beta2.SparkApplication, of release) {
	executor, path := &app.Spec.Executor, field.NewPath("spec", "executor")
	setPod(s, "executor", &executor.SparkPodSpec, path)
	s.setIf(executorAccount, executor.ServiceAccount, path.Child("serviceAccount"))
	s.setAll("spark.executorEnv.", executor.EnvVars, path.Child("envVars"))
	if app.Spec.SparkConfigMap != "" {
		// As a variable of the pod template it would come before Spark's own of the same name, and lose.
		s.fill("spark.executorEnv.SPARK_CONF_DIR", ownConfDir, nil)
	}
	if executor.Instances != nil {
		s.set("spark.executor.instances", strconv.Itoa(int(*executor.Instances)), path.Child("instances"))
	} else if app.Spec.DynamicAllocation == nil || !app.Spec.DynamicAllocation.Enabled {
		s.fill("spark.executor.instances", "1", nil) // the API's default; Spark's is 2
	}
	if executor.DeleteOnTermination != nil {
		s.set(deleteProperty, strconv.FormatBool(*executor.DeleteOnTermination), path.Child("deleteOnTermination"))
	}
	if of.gracePeriod && executor.TerminationGracePeriodSeconds != nil {
		s.set("spark.kubernetes.executor.terminationGracePeriodSeconds",
			strconv.FormatInt(*executor.TerminationGracePeriodSeconds, 10)+"s", path.Child("terminationGracePeriodSeconds"))
	}
}

// setPod sets the properties that driver and executor have alike.
func setPod(s *settings, role string, pod *v1beta2.SparkPodSpec, path *field.Path) {
	if pod.Cores != nil {
		s.set("spark."+role+".cores", strconv.Itoa(int(*pod.Cores)), path.Child("cores"))
	}
	s.setIf("spark.kubernetes."+role+".request.cores", pod.CoreRequest, path.Child("coreRequest"))
	s.setIf("spark.kubernetes."+role+".limit.cores", pod.CoreLimit, path.Child("coreLimit"))
	s.setIf("spark."+role+".memory", pod.Memory, path.Child("memory"))
	s.setIf("spark."+role+".memoryOverhead", pod.MemoryOverhead, path.Child("memoryOverhead"))
	s.setIf("spark."+role+".extraJavaOptions", pod.JavaOptions, path.Child("javaOptions"))
	s.setIf("spark.kubernetes."+role+".scheduler.name", pod.SchedulerName, path.Child("schedulerName"))
	s.setAll("spark.kubernetes."+role+".annotation.", pod.Annotations, path.Child("annotations"))
	s.setAll("spark.kubernetes."+role+".node.selector.", pod.NodeSelector, path.Child("nodeSelector"))
	for name, ref := range pod.EnvSecretKeyRefs {
		s.set("spark.kubernetes."+role+".secretKeyRef."+name, ref.Name+":"+ref.Key, path.Child("envSecretKeyRefs").Key(name))
	}
}

func setDynamicAllocation(s *settings, app *v1beta2.SparkApplication) {
	dynamic, path := app.Spec.DynamicAllocation, field.NewPath("spec", "dynamicAllocation")
	if dynamic == nil || !dynamic.Enabled {
		return
	}
	s.set("spark.dynamicAllocation.enabled", "true", path.Child("enabled"))
	counts := map[string]*int32{
		"initialExecutors": dynamic.InitialExecutors,
		"minExecutors":     dynamic.MinExecutors,
		"maxExecutors":     dynamic.MaxExecutors,
	}
	for name, count := range counts {
		if count != nil {
			s.set("spark.dynamicAllocation."+name, strconv.Itoa(int(*count)), path.Child(name))
		}
	}
	// Without an external shuffle service, which Spark on Kubernetes has not, only tracking keeps shuffle files alive.
	tracking := dynamic.ShuffleTrackingEnabled == nil || *dynamic.ShuffleTrackingEnabled
	s.set("spark.dynamicAllocation.shuffleTracking.enabled", strconv.FormatBool(tracking), path.Child("shuffleTrackingEnabled"))
	if dynamic.ShuffleTrackingTimeout != nil {
		s.set("spark.dynamicAllocation.shuffleTracking.timeout",
			strconv.FormatInt(*dynamic.ShuffleTrackingTimeout, 10)+"ms", path.Child("shuffleTrackingTimeout"))
	}
}

// setSubmission sets what spark-submit says of the submission itself, over anything said before.
func setSubmission(s *settings, app *v1beta2.SparkApplication, run Run) {
	s.set("spark.app.name", app.Name, nil)
	s.set("spark.app.submitTime", strconv.FormatInt(run.SubmittedAt.UnixMilli(), 10), nil)
	s.set("spark.kubernetes.namespace", app.Namespace, nil)
	s.set("spark.kubernetes.submission.waitAppCompletion", "false", nil)
	s.set("spark.master", "k8s://"+apiServer(s), nil)
	s.set("spark.submit.deployMode", "cluster", nil)
	delete(s.values, "spark.kubernetes.authenticate.submission.oauthToken") // of no use to the driver, and properties are no secret
}

// apiServer is where the driver finds the API server: KUBERNETES_DRIVER_MASTER_URL and its default.
func apiServer(s *settings) string {
	if master := s.get("spark.kubernetes.driver.master"); strings.Contains(master, "://") {
		return master
	}
	return "https://kubernetes.default.svc"
}

func isJVM(app *v1beta2.SparkApplication) bool {
	return app.Spec.Type == v1beta2.SparkApplicationTypeJava || app.Spec.Type == v1beta2.SparkApplicationTypeScala
}

// mainClass is the class that the driver starts.
func mainClass(app *v1beta2.SparkApplication) string {
	switch app.Spec.Type {
	case v1beta2.SparkApplicationTypePython:
		return pythonRunner
	case v1beta2.SparkApplicationTypeR:
		return rRunner
	default:
		return app.Spec.MainClass
	}
}

// resourceType is what Spark calls the language, by which it knows in the driver whether executors run Python.
func resourceType(app *v1beta2.SparkApplication) string {
	switch app.Spec.Type {
	case v1beta2.SparkApplicationTypePython:
		return "python"
	case v1beta2.SparkApplicationTypeR:
		return "r"
	default:
		return "java"
	}
}
