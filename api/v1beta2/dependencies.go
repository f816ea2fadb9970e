package v1beta2

// Dependencies are the files, jars and packages that an application needs beside its main file. Files and archives
// are URIs: local:///path for what is in the image, otherwise something that Spark can download.
type Dependencies struct {
	// Jars are put on the class path of driver and executors.
	// +optional
	Jars []string `json:"jars,omitempty"`
	// Files are put into the working directory of driver and executors.
	// +optional
	Files []string `json:"files,omitempty"`
	// PyFiles are .py, .zip and .egg files that are put on Python's module path.
	// +optional
	PyFiles []string `json:"pyFiles,omitempty"`
	// Packages are Maven coordinates of jars, group:artifact:version, which are resolved with what they need
	// themselves when the driver starts.
	// +optional
	Packages []string `json:"packages,omitempty"`
	// ExcludePackages are what the resolution of packages leaves out, group:artifact.
	// +optional
	ExcludePackages []string `json:"excludePackages,omitempty"`
	// Repositories are the URLs of Maven repositories in which packages are looked for beside the default ones.
	// +optional
	Repositories []string `json:"repositories,omitempty"`
	// Archives are unpacked into the working directory of driver and executors: into the directory after "#", if the
	// URI has one.
	// +optional
	Archives []string `json:"archives,omitempty"`
}
