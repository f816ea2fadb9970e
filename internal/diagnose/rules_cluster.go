package diagnose

// clusterRules are those whose evidence is Kubernetes' own: what kept pods from being made, placed or started, or ended
// them.
func clusterRules() []rule {
	return []rule{
		imagePull(),
	}
}
