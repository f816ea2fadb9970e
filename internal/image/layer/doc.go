// Package layer turns folders into image layers and layers back into folders, and keeps layers in a store on disk.
//
// The same folder always gives the same bytes: entries are sorted, times are fixed, names of users and whatever else
// belongs to the machine that builds are left out. It knows what a tar file is; what is in it is its caller's matter.
package layer

import "time"

// Epoch is the modification time of every file in a layer. It must not change between the layers of one image: the
// JVM refuses an archive of classes whose jars have other times than when it was made.
func Epoch() time.Time {
	return time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
}
