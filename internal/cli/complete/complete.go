// Package complete gives shells the names that can stand in a command line, as the cluster has them. Every command that
// takes a name uses it; what the commands do with the name is theirs. It is bounded in time, and says nothing where it has
// nothing to say: an error in the middle of somebody's line would help nobody.
package complete

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	queuev1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/internal/applications"
	"brazier.sh/brazier/internal/kube"
)

// patience is how long somebody who has pressed the tab key is kept waiting.
const patience = 2 * time.Second

// Flags completes the values of the flags that choose a cluster.
func Flags(cmd *cobra.Command, flags *kube.Flags) {
	for name, complete := range map[string]cobra.CompletionFunc{
		"namespace": func(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return from(cmd, typed, func(ctx context.Context) ([]string, error) { return namespaces(ctx, flags) })
		},
		"context": func(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return from(cmd, typed, func(context.Context) ([]string, error) { return flags.Contexts() })
		},
	} {
		if cmd.Flags().Lookup(name) != nil {
			// It fails only where the flag is missing, or completed already.
			_ = cmd.RegisterFlagCompletionFunc(name, complete)
		}
	}
}

// Words completes a flag by words that are known.
func Words(cmd *cobra.Command, flag string, words ...string) {
	// It fails only where the flag is missing, or completed already.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// Applications completes the names of applications: as many as the command takes, each once; most is how many that are,
// 0 any number.
func Applications(flags *kube.Flags, most int) cobra.CompletionFunc {
	return names(most, func(ctx context.Context) ([]string, error) {
		client, err := applications.Open(flags)
		if err != nil {
			return nil, err
		}
		apps, err := client.List(ctx, "")
		var found []string
		for _, app := range apps {
			found = append(found, cobra.CompletionWithDesc(app.Name, applications.State(app)))
		}
		return found, err
	})
}

// Schedules completes the names of schedules.
func Schedules(flags *kube.Flags, most int) cobra.CompletionFunc {
	return names(most, func(ctx context.Context) ([]string, error) {
		client, err := applications.Open(flags)
		if err != nil {
			return nil, err
		}
		schedules, err := client.Schedules(ctx)
		var found []string
		for _, schedule := range schedules {
			found = append(found, cobra.CompletionWithDesc(schedule.Name, schedule.Spec.Schedule))
		}
		return found, err
	})
}

// Connects completes the names of Spark Connect servers.
func Connects(flags *kube.Flags, most int) cobra.CompletionFunc {
	return names(most, func(ctx context.Context) ([]string, error) {
		config, namespace, err := open(flags)
		if err != nil {
			return nil, err
		}
		client, err := kube.Connects(config)
		if err != nil {
			return nil, err
		}
		var list v1alpha1.SparkConnectList
		err = client.Get().Namespace(namespace).Resource(kube.ConnectsResource).Do(ctx).Into(&list)
		var found []string
		for i := range list.Items {
			found = append(found, cobra.CompletionWithDesc(list.Items[i].Name, string(list.Items[i].Status.State)))
		}
		return found, err
	})
}

// Queues completes the name of a queue.
func Queues(flags *kube.Flags) cobra.CompletionFunc {
	return names(1, func(ctx context.Context) ([]string, error) {
		config, err := flags.Config()
		if err != nil {
			return nil, err
		}
		client, err := kube.Queues(config)
		if err != nil {
			return nil, err
		}
		var list queuev1.QueueList
		err = client.Get().Resource(kube.QueuesResource).Do(ctx).Into(&list)
		var found []string
		for i := range list.Items {
			found = append(found, list.Items[i].Name)
		}
		return found, err
	})
}

func open(flags *kube.Flags) (*rest.Config, string, error) {
	config, err := flags.Config()
	if err != nil {
		return nil, "", err
	}
	namespace, err := flags.CurrentNamespace()
	return config, namespace, err
}

func namespaces(ctx context.Context, flags *kube.Flags) ([]string, error) {
	config, err := flags.Config()
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	list, err := client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var found []string
	for i := range list.Items {
		found = append(found, list.Items[i].Name)
	}
	return found, nil
}

// names completes names that are not in the line yet, up to most of them.
func names(most int, find func(context.Context) ([]string, error)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if most > 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		found, directive := from(cmd, typed, find)
		return slices.DeleteFunc(found, func(one string) bool { return slices.Contains(args, bare(one)) }), directive
	}
}

// from asks find within bounds for what begins as typed does.
func from(cmd *cobra.Command, typed string, find func(context.Context) ([]string, error)) ([]cobra.Completion, cobra.ShellCompDirective) {
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	found, err := find(ctx)
	if err != nil {
		cobra.CompDebugln(err.Error(), false)
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return slices.DeleteFunc(found, func(one string) bool { return !strings.HasPrefix(one, typed) }), cobra.ShellCompDirectiveNoFileComp
}

// bare is a completion without what is said of it.
func bare(completion string) string {
	name, _, _ := strings.Cut(completion, "\t")
	return name
}
