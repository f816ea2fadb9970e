package image

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

// dependencyPlugin is Maven's own plugin that copies what a project depends on, of a version that has been tried.
const dependencyPlugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"

// project is a Maven project that only depends. Its values were checked when the recipe was read: they need no escapes.
const project = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sh.brazier</groupId><artifactId>image</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
  {{- range .Jars}}
    <dependency>
      <groupId>{{index . 0}}</groupId><artifactId>{{index . 1}}</artifactId><version>{{index . 2}}</version>
      <exclusions>
      {{- range $.Exclude}}
        <exclusion><groupId>{{index . 0}}</groupId><artifactId>{{index . 1}}</artifactId></exclusion>
      {{- end}}
      </exclusions>
    </dependency>
  {{- end}}
  </dependencies>
</project>
`

// copyDependencies fetches jars and what they depend on into dir. It is Maven that does it, so that the mirrors and
// passwords of this machine's Maven settings apply; it keeps what it fetches in repository.
func copyDependencies(ctx context.Context, jars, exclude []string, dir, temp, repository string) error {
	pom := filepath.Join(temp, "pom.xml")
	file, err := os.OpenFile(pom, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write Maven project: %w", err)
	}
	defer file.Close()
	parts := map[string][][]string{"Jars": split(jars), "Exclude": split(exclude)}
	if err := template.Must(template.New("pom").Parse(project)).Execute(file, parts); err != nil {
		return fmt.Errorf("write Maven project: %w", err)
	}
	command := exec.CommandContext(ctx, "mvn", "-B", "--no-transfer-progress", "-Dstyle.color=never", "-f", pom, "-Dmaven.repo.local="+repository,
		dependencyPlugin+":copy-dependencies", "-DoutputDirectory="+dir, "-DincludeScope=runtime")
	if _, err := run(command); err != nil {
		return fmt.Errorf("fetch jars: %w", err)
	}
	return nil
}

func split(coordinates []string) [][]string {
	parts := make([][]string, len(coordinates))
	for i, coordinate := range coordinates {
		parts[i] = strings.Split(coordinate, ":")
	}
	return parts
}

// dropKnown removes from dir the jars of which Spark has a version of its own: two versions of one library on a class
// path are a riddle, and Spark was tested with its own.
func dropKnown(dir string, known []string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list jars: %w", err)
	}
	artifacts := make([]string, len(known))
	for i, name := range known {
		artifacts[i] = artifact(name)
	}
	for _, entry := range entries {
		if slices.Contains(artifacts, artifact(entry.Name())) {
			if err := os.Remove(filepath.Join(dir, entry.Name())); err != nil {
				return fmt.Errorf("drop jar: %w", err)
			}
		}
	}
	return nil
}

// artifact returns the name of a jar without its version: netty-buffer of netty-buffer-4.1.126.Final.jar.
func artifact(jar string) string {
	return regexp.MustCompile(`-\d[^/]*$`).ReplaceAllString(strings.TrimSuffix(jar, ".jar"), "")
}

// dropUnlocked removes from dir the jars that a lock leaves out; what is missing from dir, verifying will find.
func dropUnlocked(dir string, lock Lock) error {
	names := make([]string, len(lock))
	for i, file := range lock {
		names[i] = file.Name
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list jars: %w", err)
	}
	for _, entry := range entries {
		if !slices.Contains(names, entry.Name()) {
			if err := os.Remove(filepath.Join(dir, entry.Name())); err != nil {
				return fmt.Errorf("drop jar: %w", err)
			}
		}
	}
	return nil
}
