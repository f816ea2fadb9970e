package diagnose

import (
	"fmt"
	"strings"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// What S3A and the SDKs of the object stores say.
var (
	accessDenied = lazily(
		`AccessDeniedException: ([^:]+: )?.*|Status Code: 403|403 Forbidden|InvalidAccessKeyId|SignatureDoesNotMatch|AccessControlException: (Permission denied.*)|No AWS Credentials provided|NoAwsCredentialsException|Unable to load credentials from any of the providers`)
	noBucket      = lazily(`NoSuchBucket|UnknownStoreException: ` + "`?" + `(\S+?)['` + "`" + `:]+(?:\s|$)|Bucket (\S+) does not exist|The specified bucket does not exist`)
	noEndpoint    = lazily(`SdkClientException: (?:Unable to execute HTTP request|Received an UnknownHostException).*|Unable to execute HTTP request: (.*)|ConnectException: .*(?:connect|Connect).* (?:to|on) (\S+)`)
	storeInDoubt  = lazily(`s3a?://|S3A|amazonaws|SdkClientException|UnknownHostException: \S*(?:s3|minio|bucket)`)
	storedAddress = lazily(`\b(?:s3a?|abfss?|gs|hdfs)://[^\s'"` + "`" + `:,)]+`)
	kerberos      = lazily(`GSSException: (.*)|Client cannot authenticate via:\s*\[?([\w, ]+)|KrbException: (.*)|LoginException: (.*)|SIMPLE authentication is not enabled|Unable to obtain password from user|token \(.*\) can't be found in cache`)
)

// address is the address of what was read or written, as the lines name it.
func address(lines []found) string {
	for _, f := range lines {
		if match := storedAddress.FindString(f.text); match != "" {
			return strings.TrimRight(match, ".;")
		}
	}
	return "the storage"
}

// storageDenied finds addresses that the run's credentials do not open.
func storageDenied() rule {
	return rule{code: "storage-denied", find: func(c *Case) (v1alpha1.Cause, bool) {
		f, _, ok := firstMatch(c.exceptionLines(), accessDenied)
		if !ok {
			return v1alpha1.Cause{}, false
		}
		return told(f, fmt.Sprintf("The credentials of the run do not open %s.", address(append([]found{f}, c.exceptionLines()...))),
			c.driverLog(),
			inspect("See which service account the driver has, and what that may.", "kubectl get serviceaccount --namespace "+c.Namespace+" "+c.serviceAccount()+" --output yaml"),
			change("Give the pods credentials that do, from a Secret.",
				"spec:\n  driver: &credentials\n    envFrom:\n      - secretRef: {name: SECRET}\n  executor: *credentials\n")), true
	}}
}

// exceptionLines are the lines of the failure that tell of exceptions.
func (c *Case) exceptionLines() []found {
	var lines []found
	for _, f := range c.fatal() {
		if !javaFrame.MatchString(f.text) && !pythonFrame.MatchString(f.text) {
			lines = append(lines, f)
		}
	}
	return lines
}

func (c *Case) serviceAccount() string {
	if c.Application != nil && c.Application.Spec.Driver.ServiceAccount != "" {
		return c.Application.Spec.Driver.ServiceAccount
	}
	return "default"
}

// storageMissing finds buckets that do not exist.
func storageMissing() rule {
	return rule{code: "storage-missing", find: func(c *Case) (v1alpha1.Cause, bool) {
		f, match, ok := firstMatch(c.exceptionLines(), noBucket)
		if !ok {
			return v1alpha1.Cause{}, false
		}
		name := firstOf(match[1:])
		if name == "" {
			name = address(append([]found{f}, c.exceptionLines()...))
		}
		return told(f, fmt.Sprintf("There is no bucket %s at the endpoint that the run asks.", bucket(name)), c.driverLog(),
			change("Name a bucket that exists, or the endpoint that has it.", sparkConf("spark.hadoop.fs.s3a.endpoint", "https://s3.example.com"))), true
	}}
}

// bucket is the name in an address, or the name that it is already.
func bucket(address string) string {
	_, path, remote := strings.Cut(address, "://")
	if !remote {
		path = address
	}
	name, _, _ := strings.Cut(path, "/")
	return strings.Trim(name, "`'.")
}

// storageUnreachable finds object stores that did not answer.
func storageUnreachable() rule {
	return rule{code: "storage-unreachable", find: func(c *Case) (v1alpha1.Cause, bool) {
		lines := c.exceptionLines()
		f, _, ok := firstMatch(lines, noEndpoint)
		if !ok || len(havingMatch(lines, storeInDoubt)) == 0 {
			return v1alpha1.Cause{}, false
		}
		endpoint := c.conf("spark.hadoop.fs.s3a.endpoint")
		if c.Application != nil && endpoint == "" {
			endpoint = c.Application.Spec.HadoopConf["fs.s3a.endpoint"]
		}
		at := ""
		if endpoint != "" {
			at = " at " + endpoint
		}
		cause := told(f, fmt.Sprintf("The object store%s, which %s is in, did not answer.", at, address(lines)), c.driverLog(),
			inspect("See which network policies keep pods from it.", "kubectl get networkpolicies --namespace "+c.Namespace),
			change("Name the endpoint as pods reach it.", sparkConf("spark.hadoop.fs.s3a.endpoint", "https://s3.example.com")))
		cause.Transient = true
		return cause, true
	}}
}

func havingMatch(lines []found, pattern *pattern) []found {
	var all []found
	for _, f := range lines {
		if pattern.MatchString(f.text) {
			all = append(all, f)
		}
	}
	return all
}

// authentication finds runs that could not prove to Kerberos, or to what trusts it, who they are.
func authentication() rule {
	return rule{code: "authentication-failed", find: func(c *Case) (v1alpha1.Cause, bool) {
		f, match, ok := firstMatch(c.exceptionLines(), kerberos)
		if !ok {
			return v1alpha1.Cause{}, false
		}
		said := strings.TrimSuffix(firstOf(match[1:]), ".")
		if said == "" {
			said = match[0]
		}
		return told(f, fmt.Sprintf("The run could not authenticate: %s.", shortened(said)), c.driverLog(),
			change("Give the driver a principal and its keytab, from a Secret.",
				"spec:\n  sparkConf:\n    spark.kerberos.principal: USER@REALM\n    spark.kerberos.keytab: /etc/keytab/user.keytab\n  driver:\n    secrets:\n      - {name: SECRET, path: /etc/keytab, secretType: Generic}\n")), true
	}}
}
