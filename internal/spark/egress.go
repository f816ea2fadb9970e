package spark

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Proxy is how driver and executors reach what is outside the cluster, where they cannot do so by themselves.
type Proxy struct {
	// HTTP and HTTPS are the proxies of http and https addresses, such as http://proxy.example.com:3128. Java speaks plain
	// HTTP to either.
	HTTP  string `json:"http,omitempty"`
	HTTPS string `json:"https,omitempty"`
	// NoProxy are hosts, .domains and networks that are reached without a proxy, separated by commas as in NO_PROXY. The
	// cluster's own names are among them without being said; addresses of Services, which few programs use, are not.
	NoProxy string `json:"noProxy,omitempty"`
}

func (p Proxy) used() bool { return p.HTTP != "" || p.HTTPS != "" }

// validate finds what is wrong with the platform's proxy, at path.
func (p Proxy) validate(path *field.Path) field.ErrorList {
	errs := validateAddress(path.Child("http"), p.HTTP, "http")
	errs = append(errs, validateAddress(path.Child("https"), p.HTTPS, "http")...)
	if p.NoProxy != "" && !p.used() {
		errs = append(errs, field.Invalid(path.Child("noProxy"), p.NoProxy, "there is no proxy; name one as http or https, or leave this out"))
	}
	for _, host := range commaSeparated(p.NoProxy) {
		if strings.ContainsAny(host, " \t\n|\"'\\") {
			errs = append(errs, field.Invalid(path.Child("noProxy"), p.NoProxy,
				fmt.Sprintf("has the host %q; separate hosts by commas, for example 10.0.0.0/8,.example.com", host)))
		}
	}
	return errs
}

// validateAddress finds what is wrong with a URL that every pod is given, which is why it cannot hold a password.
func validateAddress(path *field.Path, address string, schemes ...string) field.ErrorList {
	if address == "" {
		return nil
	}
	parsed, err := url.Parse(address)
	switch {
	case err != nil || parsed.Hostname() == "" || !slices.Contains(schemes, parsed.Scheme):
		return field.ErrorList{field.Invalid(path, address, "is not a URL of the form "+strings.Join(schemes, ":// or ")+"://host:port")}
	case parsed.User != nil:
		return field.ErrorList{field.Invalid(path, parsed.Redacted(),
			"has credentials in it, which everybody who may look at pods could read; leave them out here and let applications take the variable from a Secret, by env or envFrom")}
	}
	return nil
}

// withoutProxy are the hosts that are reached without a proxy: the cluster's own come first.
func (p *planner) withoutProxy() []string {
	domain := p.platform.ClusterDomain
	if domain == "" {
		domain = "cluster.local"
	}
	hosts := []string{"localhost", "127.0.0.1", ".svc", "." + domain}
	if server, err := url.Parse(apiServer(p.conf)); err == nil && !strings.HasSuffix(server.Hostname(), ".svc") {
		hosts = append(hosts, server.Hostname())
	}
	return append(hosts, commaSeparated(p.platform.Proxy.NoProxy)...)
}

// platformEnv are the variables of the platform, in order. Programs look at either case of those of a proxy.
func (p *planner) platformEnv() []corev1.EnvVar {
	var env []corev1.EnvVar
	add := func(name, value string) { env = append(env, corev1.EnvVar{Name: name, Value: value}) }
	for _, proxy := range []struct{ name, value string }{
		{"HTTP_PROXY", p.platform.Proxy.HTTP}, {"HTTPS_PROXY", p.platform.Proxy.HTTPS},
	} {
		if proxy.value != "" {
			add(proxy.name, proxy.value)
			add(strings.ToLower(proxy.name), proxy.value)
		}
	}
	if p.platform.Proxy.used() {
		hosts := strings.Join(p.withoutProxy(), ",")
		add("NO_PROXY", hosts)
		add("no_proxy", hosts)
	}
	if p.platform.PipIndexURL != "" {
		add("PIP_INDEX_URL", p.platform.PipIndexURL)
	}
	return env
}

// addPlatformEnv gives the container the platform's variables, but for those that the application names itself. Where it
// takes variables from elsewhere they are not known by name, so that the platform's have to be taken from elsewhere too,
// before them.
func (p *planner) addPlatformEnv(r role, spark *corev1.Container, fromElsewhere bool) {
	env := slices.DeleteFunc(p.platformEnv(), func(e corev1.EnvVar) bool { return p.namesEnv(r, spark, e.Name) })
	if len(env) == 0 {
		return
	}
	if !fromElsewhere {
		spark.Env = append(spark.Env, env...)
		return
	}
	data := make(map[string]string, len(env))
	for _, e := range env {
		data[e.Name] = e.Value
	}
	configMap := p.configMap(p.names.env+"-"+r.name+"-env", data, nil)
	p.env = append(p.env, configMap)
	spark.EnvFrom = slices.Insert(spark.EnvFrom, 0, corev1.EnvFromSource{
		ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: configMap.Name}},
	})
}

// namesEnv reports whether the application names a variable for a role's container, in either case.
func (p *planner) namesEnv(r role, spark *corev1.Container, name string) bool {
	is := func(other string) bool { return strings.EqualFold(other, name) }
	if slices.ContainsFunc(spark.Env, func(e corev1.EnvVar) bool { return is(e.Name) }) {
		return true
	}
	if r.name == "driver" {
		return false // its properties are among the container's variables by now
	}
	for other := range p.conf.under("spark.executorEnv.") {
		if is(other) {
			return true
		}
	}
	return false
}

// proxyOptions tell Java of the proxy, which does not look at the environment: Ivy, S3A and whatever else opens URLs. An
// option among own stays as it is.
func (p *planner) proxyOptions(own string) []string {
	if !p.platform.Proxy.used() {
		return nil
	}
	var options []string
	for scheme, proxy := range map[string]string{"http": p.platform.Proxy.HTTP, "https": p.platform.Proxy.HTTPS} {
		prefix := "-D" + scheme + ".proxy"
		address, err := url.Parse(proxy)
		if err != nil || proxy == "" || strings.Contains(own, prefix+"Host") {
			continue // the operator refuses to start with one that is not valid
		}
		port := address.Port()
		if port == "" {
			port = "80"
		}
		options = append(options, prefix+"Host="+address.Hostname(), prefix+"Port="+port)
	}
	slices.Sort(options)
	if hosts := "-Dhttp.nonProxyHosts"; !strings.Contains(own, hosts) { // of https as well
		options = append(options, hosts+"="+strings.Join(javaHosts(p.withoutProxy()), "|"))
	}
	return options
}

// javaHosts writes hosts as http.nonProxyHosts has them: by their name or address, with a * at one end.
func javaHosts(hosts []string) []string {
	var patterns []string
	for _, host := range hosts {
		if network, err := netip.ParsePrefix(host); err == nil {
			patterns = append(patterns, javaNetwork(network)...)
			continue
		}
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name // Java cannot tell ports apart
		}
		_, notAddress := netip.ParseAddr(host)
		domain := strings.TrimPrefix(strings.TrimPrefix(host, "*"), ".")
		switch {
		case host == "*" || notAddress == nil:
			patterns = append(patterns, host)
		case domain != host:
			patterns = append(patterns, "*."+domain)
		default:
			patterns = append(patterns, host, "*."+host)
		}
	}
	return patterns
}

// javaNetwork writes a network of IPv4 as the addresses' beginnings, up to the next dot: 10.96.0.0/15 is 10.96.* and
// 10.97.*. One of IPv6 has no such form.
func javaNetwork(network netip.Prefix) []string {
	if !network.Addr().Is4() {
		return nil
	}
	bytes := (network.Bits() + 7) / 8
	if bytes == 0 {
		return []string{"*"}
	}
	first := network.Masked().Addr().As4()
	var patterns []string
	for i := range 1 << (8*bytes - network.Bits()) {
		parts := make([]string, bytes, bytes+1)
		for j := range parts {
			parts[j] = fmt.Sprint(first[j])
		}
		parts[bytes-1] = fmt.Sprint(int(first[bytes-1]) + i)
		if bytes < len(first) {
			parts = append(parts, "*")
		}
		patterns = append(patterns, strings.Join(parts, "."))
	}
	return patterns
}

// javaOptions are the options of the JVM with the platform's before the application's own, of which the last wins.
func (p *planner) javaOptions() map[string]string {
	options := map[string]string{}
	for _, role := range []string{"driver", "executor"} {
		key := "spark." + role + ".extraJavaOptions"
		said := p.conf.get("spark."+role+".defaultJavaOptions") + " " + p.conf.get(key)
		if platforms := append(p.proxyOptions(said), p.trustOptions(said)...); len(platforms) > 0 {
			options[key] = strings.TrimSpace(strings.Join(platforms, " ") + " " + p.conf.get(key))
		}
	}
	return options
}

func commaSeparated(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
