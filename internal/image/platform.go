package image

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"brazier.sh/brazier/images/spark"
)

// DefaultSpark is the version of Spark that an image gets where nobody asks for another.
const DefaultSpark = "4.3.0"

// Versions returns the versions of Spark that Brazier has recipes for, oldest first.
func Versions() ([]string, error) {
	files, err := fs.Glob(spark.Recipes, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list recipes: %w", err)
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(file, ".yaml")
	}
	slices.SortFunc(files, compareVersions)
	return files, nil
}

// platform is Spark itself, of one version: what every image of that version stands on.
type platform struct {
	Recipe

	lock Lock
}

// loadPlatform returns the platform of a version, or of the newest version of a line.
func loadPlatform(version string) (platform, error) {
	exact, err := resolveVersion(version)
	if err != nil {
		return platform{}, err
	}
	data, err := spark.Recipes.ReadFile(exact + ".yaml")
	if err != nil {
		return platform{}, fmt.Errorf("read recipe of Spark %s: %w", exact, err)
	}
	recipe, err := ParseRecipe(data)
	if err != nil {
		return platform{}, fmt.Errorf("recipe of Spark %s: %w", exact, err)
	}
	data, err = spark.Recipes.ReadFile(exact + ".lock")
	if err != nil {
		return platform{}, fmt.Errorf("read lock of Spark %s: %w", exact, err)
	}
	lock, err := ParseLock(data)
	if err != nil {
		return platform{}, fmt.Errorf("lock of Spark %s: %w", exact, err)
	}
	return platform{Recipe: recipe, lock: lock}, nil
}

func resolveVersion(version string) (string, error) {
	known, err := Versions()
	if err != nil {
		return "", err
	}
	for _, candidate := range slices.Backward(known) {
		if candidate == version || line(candidate) == version {
			return candidate, nil
		}
	}
	return "", fmt.Errorf("spark: %q is not a version that Brazier builds; it builds %s", version, strings.Join(known, ", "))
}

// on returns the platform changed to the Debian release and Java runtime that a team's recipe wants.
func (p platform) on(team Recipe) platform {
	p.Suite = cmp.Or(team.Suite, p.Suite)
	p.Java = cmp.Or(team.Java, p.Java)
	return p
}

func compareVersions(a, b string) int {
	return slices.Compare(numbers(a), numbers(b))
}

func numbers(version string) []int {
	var parsed []int
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			n = -1 // a part that is no number sorts before those that are
		}
		parsed = append(parsed, n)
	}
	return parsed
}
