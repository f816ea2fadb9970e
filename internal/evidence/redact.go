package evidence

import (
	"regexp"
	"strings"
)

// Blot is what stands where a secret stood: Spark's own words, REDACTION_REPLACEMENT_TEXT in its Utils.
const Blot = "*********(redacted)"

// Regular expressions are compiled once; they are constants in all but Go's eyes.
var (
	terminalCommand = regexp.MustCompile(`\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)`)

	privateKey    = regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)`)
	privateKeyEnd = regexp.MustCompile(`[A-Za-z0-9+/=\s]*-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----`)
	// keyLine is a line of a key whose beginning is not there.
	keyLine = regexp.MustCompile(`(?m)^[A-Za-z0-9+/]{60,76}={0,2}$`)

	// userInfo finds user:password@ in URLs, loginOnly the user@ of those whose user is often a token.
	userInfo  = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^/\s:@"'<>]*:)[^/\s"'<>]+@`)
	loginOnly = regexp.MustCompile(`(\b(?:https?|git|ssh)(?:\+\w+)?://)[^/\s:@"'<>]{12,}@`)
	// oracleLogin is user/password@ of Oracle's thin driver.
	oracleLogin = regexp.MustCompile(`(?i)(jdbc:oracle:\w+:[^/\s:@]+/)[^@\s]+@`)

	authorization = regexp.MustCompile(`(?i)((?:proxy-)?authorization\\*["']?\s*(?:=>|[:=])\s*\\*["']?(?:\w+\s+)?)[^\s"',;\\]+`)
	bearer        = regexp.MustCompile(`(?i)\b(bearer|basic|negotiate)\s+([A-Za-z0-9._~+/=-]{8,})`)
	webToken      = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*)*`)

	amazonKey = regexp.MustCompile(`\b(AKIA|ASIA|AROA|AIDA|AGPA)[A-Z0-9]{12,}\b`)
	// amazonSecret is what may be one, or the name of something; isAmazonSecret tells.
	amazonSecret  = regexp.MustCompile(`[A-Za-z0-9/+]+={0,2}`)
	amazonWord    = regexp.MustCompile(`(?i)AKIA|ASIA|aws|secret|s3|credential|access|key`)
	vendorsTokens = regexp.MustCompile(`\b(gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|AIza|ya29\.|hf_|npm_|pypi-|sk_live_|rk_live_|SG\.|hvs\.)[A-Za-z0-9_.-]{16,}|\b(dapi)[0-9a-f]{32}\b`)

	// element and property are XML's and Hadoop's configuration's.
	element  = regexp.MustCompile(`(?i)(<[\w.-]*` + secretWord + `[\w.-]*>)[^<]+`)
	property = regexp.MustCompile(`(?i)(<name>[\w.-]*` + secretWord + `[\w.-]*</name>\s*<value>)[^<]+`)
	// flag is an argument of a command.
	flag = regexp.MustCompile(`(?i)(\s|^)(--?[\w-]*` + secretWord + `[\w-]*\s+)("[^"\n]*"?|'[^'\n]*'?|[^\s"'-]\S*)`)
	// tuple is how Scala prints a property: (key,value).
	tuple = regexp.MustCompile(`(?i)(\([\w.-]*` + secretWord + `[\w.-]*,)[^)\n]+`)
	pair  = regexp.MustCompile(`(?i)([\w.$-]*` + secretWord + `[\w.$-]*)(\\*["']?)(\s*)(=>|->|=|:)(\s*)` + secretValue)
	// signed are the parameters of signed URLs, which are called less tellingly.
	signed = regexp.MustCompile(`(?i)(\b(?:[\w-]*signature|sig|sas|x-amz-credential|awsaccesskeyid)=)[^&\s;"']+`)
	// signedJSON is the same in JSON.
	signedJSON = regexp.MustCompile(`(?i)("(?:\w*signature|sig|sas)"\s*:\s*")[^"]+`)

	// A name is one of these rather than the key of a value.
	qualifiedClass = regexp.MustCompile(`^(?:[a-z_]\w*\.)+[A-Z]\w*(?:\$\w*)*$`)
	errorCode      = regexp.MustCompile(`^(?:Invalid|Expired|Missing|Unrecognized|Unknown|Bad|Malformed|Unauthorized|No|Not)[A-Z]\w*$|(?:Exception|Error|Failed|Failure|Fault|NotFound|Match|Mismatch)$`)
	sourceFile     = regexp.MustCompile(`\.(?:java|scala|py|kt|groovy|go|sql|jar|sh)$`)
	logger         = regexp.MustCompile(`\b(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL)\s+(?:\[[^\]]*\]\s+)?$`)
	port           = regexp.MustCompile(`^\d{1,5}\b`)
	count          = regexp.MustCompile(`^\d+[,.)]?$`)
)

// secretWord is what the names of secrets have in them: spark.redaction.regex and more.
const secretWord = `(?:secret|passw(?:or)?d|pwd|token|access[._ -]?key|credential|passphrase|private[._-]?key|api[._-]?key|account[._-]?key|shared[._-]?key|encryption[._-]?key|session[._-]?key)`

// secretValue is a value: escaped, in quotes, a list, or up to where the next one begins.
const secretValue = `((?:(?:bearer|basic|digest|negotiate)\s+)?(?:\\+"[^"]*"?|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|\[[^\]\n]*\]?|\{[^}\n]*\}?|[^\s;&"'\[{][^\s;&]*))` //nolint:gosec // it finds credentials, and is none

// Redact blots out secrets in text: values of keys whose names tell, credentials in URLs and headers, and what has the
// form of a key or token of its own. It rather blots too much than too little of a value, and leaves alone what evidence
// consists of: names of classes, files, images and objects, digests, and codes of errors.
func Redact(text string) string {
	if text == "" {
		return text
	}
	text = redactKeys(text)
	text = redactURLs(text)
	text = redactTokens(text)
	return redactPairs(text)
}

func redactKeys(text string) string {
	if strings.Contains(text, "PRIVATE KEY") {
		text = privateKey.ReplaceAllLiteralString(text, Blot)
		text = privateKeyEnd.ReplaceAllLiteralString(text, Blot)
	}
	return keyLine.ReplaceAllStringFunc(text, func(line string) string {
		if !mixed(line) {
			return line // a digest
		}
		return Blot
	})
}

func redactURLs(text string) string {
	if strings.Contains(text, "@") {
		text = userInfo.ReplaceAllString(text, "${1}"+Blot+"@")
		text = loginOnly.ReplaceAllString(text, "${1}"+Blot+"@")
		text = oracleLogin.ReplaceAllString(text, "${1}"+Blot+"@")
	}
	if strings.Contains(text, "=") || strings.Contains(text, `"`) {
		text = signed.ReplaceAllString(text, "${1}"+Blot)
		text = signedJSON.ReplaceAllString(text, "${1}"+Blot)
	}
	return text
}

func redactTokens(text string) string {
	text = authorization.ReplaceAllString(text, "${1}"+Blot)
	text = bearer.ReplaceAllStringFunc(text, func(match string) string {
		parts := bearer.FindStringSubmatch(match)
		if !strings.ContainsAny(parts[2], "0123456789=") && len(parts[2]) < 20 {
			return match // "Basic authentication"
		}
		return parts[1] + " " + Blot
	})
	text = webToken.ReplaceAllLiteralString(text, Blot)
	text = vendorsTokens.ReplaceAllString(text, "${1}${2}"+Blot)
	if amazonWord.MatchString(text) {
		text = amazonSecret.ReplaceAllStringFunc(text, func(match string) string {
			if !isAmazonSecret(match) {
				return match
			}
			return Blot
		})
	}
	return amazonKey.ReplaceAllString(text, "${1}"+Blot)
}

// isAmazonSecret reports whether word has the form of an AWS secret key: forty characters of base64, of all sorts. Digests
// have no capitals.
func isAmazonSecret(word string) bool { return len(word) == 40 && mixed(word) }

// mixed reports whether text has capitals, other letters and digits.
func mixed(text string) bool {
	var upper, lower, digit bool
	for _, r := range text {
		upper = upper || r >= 'A' && r <= 'Z'
		lower = lower || r >= 'a' && r <= 'z'
		digit = digit || r >= '0' && r <= '9'
	}
	return upper && lower && digit
}

func redactPairs(text string) string {
	if strings.Contains(text, "<") {
		text = property.ReplaceAllString(text, "${1}"+Blot)
		text = element.ReplaceAllString(text, "${1}"+Blot)
	}
	text = flag.ReplaceAllString(text, "${1}${2}"+Blot)
	text = tuple.ReplaceAllString(text, "${1}"+Blot)

	var out strings.Builder
	end := 0
	for from := 0; from < len(text); {
		at := pair.FindStringSubmatchIndex(text[from:])
		if at == nil {
			break
		}
		for i := range at {
			at[i] += from
		}
		p := newKeyValue(text, at)
		if p.isSecret() {
			out.WriteString(text[end:at[12]])
			out.WriteString(blotted(p.value))
			end = at[13]
			from = end
		} else {
			from = at[12] // what was no value may be a key
		}
	}
	out.WriteString(text[end:])
	return out.String()
}

// blotted is the blot in the quotes that value has.
func blotted(value string) string {
	if quote := value[:1]; quote == `"` || quote == "'" {
		return quote + Blot + quote
	}
	return Blot
}

// maxLogger is how long a level of a log and what may stand between it and its logger are at most.
const maxLogger = 80

// keyValue is what looks like a key and its value.
type keyValue struct {
	before, key, quote, gap, separator, space, value string
}

func newKeyValue(text string, at []int) keyValue {
	group := func(i int) string { return text[at[2*i]:at[2*i+1]] }
	before := text[:at[2]]
	before = before[max(0, len(before)-maxLogger):] // all that tells is what stands right before
	return keyValue{before: before, key: group(1), quote: group(2), gap: group(3), separator: group(4), space: group(5), value: group(6)}
}

// isSecret tells secrets from words of prose and code that only look like a key and its value.
func (p keyValue) isSecret() bool {
	quoted := p.value[0] == '"' || p.value[0] == '\'' || p.value[0] == '\\'
	switch {
	case strings.Contains(p.value, Blot), harmless(p.value):
		return false
	case sourceFile.MatchString(p.key): // (TokenManager.java:42)
		return false
	case strings.EqualFold(p.key, "secrets") && count.MatchString(p.value): // exceeded quota: requested: secrets=1
		return false
	case p.separator != ":":
		return true
	case p.quote != "" && p.gap != "" && !quoted: // volume "aws-secret" : secret "aws" not found
		return false
	case qualifiedClass.MatchString(p.key), errorCode.MatchString(p.key): // InvalidToken: The provided token is malformed
		return false
	case logger.MatchString(p.before): // WARN HadoopDelegationTokenManager: …
		return false
	case p.space == "" && p.quote == "" && strings.Contains(p.key, "-") && port.MatchString(p.value): // token-svc:7078
		return false
	case p.space == "" && p.quote == "" && strings.HasSuffix(p.before, "/"): // registry/token-service:1.2
		return false
	}
	return true
}

// harmless reports whether a value is a word that tells nothing.
func harmless(value string) bool {
	switch strings.ToLower(strings.Trim(value, `"'.,)]}`)) {
	case "", "true", "false", "null", "none", "nil", "required", "invalid", "forbidden", "unsupported", "duplicate", "missing", "empty":
		return true
	}
	return false
}
