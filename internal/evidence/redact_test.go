package evidence

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// secret is what must not be left of any of these.
const secret = "hunter2-Xq9"

func TestRedactSecrets(t *testing.T) {
	const (
		amazon = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
		token  = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJlLW9m-dGhpcw"
		key    = "MIIEowIBAAKCAQEAx4Zb1l2Yp0yJ8c1vQzq1d5l8mP4m3mJxYw0r0aVQ9dQm1a2b"
	)
	tests := map[string]struct{ text, secret string }{
		"Property":            {"spark.hadoop.fs.s3a.secret.key=" + secret, secret},
		"PropertyInTuple":     {"(spark.ssl.keyStorePassword," + secret + ")", secret},
		"Map":                 {"Map(user -> bob, password -> " + secret + ")", secret},
		"Environment":         {"DB_PASSWORD=" + secret + " HOME=/root", secret},
		"Colon":               {"password: " + secret, secret},
		"JSON":                {`{"user":"bob","password":"` + secret + ` and more","x":1}`, secret},
		"JSONInJSON":          {`{"m":"{\"token\":\"` + secret + `\"}"}`, secret},
		"JSONSpaced":          {`"accessToken" : "` + secret + `"`, secret},
		"Python":              {`{'aws_secret_access_key': '` + secret + `'}`, secret},
		"List":                {`"tokens": ["a", "` + secret + `"]`, secret},
		"Flag":                {"job.py --db-password " + secret + " --rows 5", secret},
		"FlagWithSign":        {"job.py --token=" + secret, secret},
		"CommaInValue":        {"passwd=a," + secret, secret},
		"QuoteInValue":        {`password=a"` + secret, secret},
		"Passphrase":          {"keyPassphrase=" + secret, secret},
		"Credential":          {"google.credentials=" + secret, secret},
		"AccountKey":          {"DefaultEndpointsProtocol=https;AccountName=x;AccountKey=" + secret + ";EndpointSuffix=y", secret},
		"AzureAccountKey":     {"fs.azure.account.key.acct.dfs.core.windows.net=" + secret, secret},
		"XML":                 {"<password>" + secret + "</password>", secret},
		"HadoopXML":           {"<name>fs.s3a.secret.key</name>\n  <value>" + secret + "</value>", secret},
		"URL":                 {"cannot reach postgresql://bob:" + secret + "@db:5432/x", secret},
		"URLWithAt":           {"http://bob:p@" + secret + "@proxy:3128", secret},
		"TokenInURL":          {"https://" + secret + "long@git.example.com/x", secret},
		"JDBC":                {"jdbc:mysql://db/x?user=bob&password=" + secret + "&ssl=true", secret},
		"JDBCSQLServer":       {"jdbc:sqlserver://db;user=bob;password=" + secret + ";", secret},
		"JDBCOracle":          {"jdbc:oracle:thin:scott/" + secret + "@db:1521:x", secret},
		"AmazonKey":           {"The key AKIAIOSFODNN7EXAMPLE is unknown", "IOSFODNN7EXAMPLE"},
		"AmazonSecret":        {"s3 said no to " + amazon, amazon},
		"AmazonSecretPair":    {"AWS_SECRET_ACCESS_KEY=" + amazon, amazon},
		"Bearer":              {"Authorization: Bearer " + secret, secret},
		"BearerAlone":         {"sent Bearer abcdef0123456789abcdef", "abcdef0123456789abcdef"},
		"Basic":               {"headers: Basic Ym9iOmh1bnRlcjI=", "Ym9iOmh1bnRlcjI"},
		"AuthorizationQuoted": {`"authorization": "Basic ` + secret + `"`, secret},
		"TokenWithScheme":     {"token: Bearer " + secret, secret},
		"WebToken":            {"got " + token + " from it", token[20:]},
		"GitHub":              {"clone with ghp_abcdefghijklmnopqrstuvwxyz0123456789", "abcdefghijklmnopqrstuvwxyz"},
		"Databricks":          {"dapi0123456789abcdef0123456789abcdef", "0123456789abcdef"},
		"PrivateKey":          {"-----BEGIN RSA PRIVATE KEY-----\n" + key + "\n-----END RSA PRIVATE KEY-----\nafter", key},
		"PrivateKeyCut":       {"-----BEGIN PRIVATE KEY-----\n" + key, key},
		"PrivateKeyBegun":     {key + "\n-----END PRIVATE KEY-----", key},
		"PrivateKeyMiddle":    {key, key},
		"PrivateKeyEscaped":   {`"key": "-----BEGIN PRIVATE KEY-----\n` + key + `\n-----END PRIVATE KEY-----\n"`, key},
		"SAS":                 {"https://acct.blob.core.windows.net/c/f?sv=2024&sig=" + secret + "&se=2027", secret},
		"SignedURL":           {"https://b.s3.amazonaws.com/k?X-Amz-Signature=" + secret + "&X-Amz-Date=1", secret},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := Redact(tt.text)
			if strings.Contains(got, tt.secret) || !strings.Contains(got, Blot) {
				t.Errorf("%s\nbecame %s", tt.text, got)
			}
			if again := Redact(got); strings.Contains(again, tt.secret) {
				t.Errorf("and then %s", again)
			}
		})
	}
}

func TestRedactKeepsEvidence(t *testing.T) {
	for _, text := range []string{
		"spark-a1b2c3d4e5f60718293a4b5c6d7e8f90",
		"registry.example.com/spark@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"key a94a8fe5ccb19ba61c4c0873d391e987982fbbd3 of s3",
		"pull registry.example.com/token-service:1.2.3",
		`MountVolume.SetUp failed for volume "aws-secret" : secret "aws" not found`,
		`secret "db-password" not found`,
		`Error: couldn't find key password in Secret default/db-credentials`,
		`spec.volumes[0].secret.secretName: Required value`,
		`exceeded quota: few, requested: secrets=1, used: secrets=10, limited: secrets=10`,
		"org.apache.hadoop.security.token.SecretManager$InvalidToken: token (HDFS_DELEGATION_TOKEN) can't be found in cache",
		"\tat com.example.TokenManager.renew(TokenManager.java:42)",
		`  File "/opt/token_job.py", line 3, in <module>`,
		"InvalidToken: The provided token is malformed or otherwise invalid.",
		"ExpiredToken: The provided token has expired",
		"InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.",
		"SignatureDoesNotMatch: The request signature we calculated does not match",
		"26/11/26 14:00:00 INFO HadoopDelegationTokenManager: Updating delegation tokens",
		`FATAL: password authentication failed for user "postgres"`,
		"Basic authentication is not supported",
		"Failed to connect to token-svc:7078",
		"spark://CoarseGrainedScheduler@pi-driver-svc.default.svc:7078",
		"abfss://container@account.dfs.core.windows.net/path",
		"s3a://bucket/path/part-00000-3f2c8a1e-9d4b-4c55-8f0a-1234567890ab-c000.snappy.parquet",
		"The executor with id 3 exited with exit code 137(SIGKILL, possible container OOM).",
		"automountServiceAccountToken: false",
		`pods "pi-driver" is forbidden: User "system:serviceaccount:default:spark" cannot get resource "pods"`,
		"java.lang.NoSuchMethodError: 'void org.apache.spark.sql.Dataset.foo(java.lang.String)'",
	} {
		if diff := cmp.Diff(text, Redact(text)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("Authorization: Bearer ", " after")
	f.Add(`{"password":"`, `"}`)
	f.Add("-----BEGIN PRIVATE KEY-----\n", "\n-----END")
	f.Add("é\xff\x1b[31m", "=@:")
	f.Fuzz(func(t *testing.T, before, after string) {
		if got := plain(before); !utf8.ValidString(got) || strings.ContainsRune(got, '\x1b') {
			t.Errorf("%q is not plain", got)
		}
		// Whatever stands around it, a secret in its own line is found.
		text := plain(before + "\npassword=" + secret + "\n" + after)
		got := Redact(text)
		if strings.Contains(got, secret) && !strings.Contains(before+after, secret) {
			t.Errorf("%q became %q", text, got)
		}
		if !utf8.ValidString(got) {
			t.Errorf("%q is no UTF-8", got)
		}
	})
}
