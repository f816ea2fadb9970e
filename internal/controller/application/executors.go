package application

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/internal/spark"
)

// askAboutExecutors asks the API server whether it would take the plan's executors, where the plan has a question. Their
// driver would otherwise ask in vain, for ever and without a word. Nothing is created.
func (r *Reconciler) askAboutExecutors(ctx context.Context, plan *spark.Plan) error {
	if plan.Executor == nil {
		return nil
	}
	err := r.cluster.Create(ctx, plan.Executor, client.DryRunAll)
	switch {
	case err == nil || saysNothing(err):
		return nil
	case refusedByServer(err):
		return refusal{fmt.Errorf("the API server would refuse every executor: %w; correct spec.executor, or what it names", err)}
	}
	return fmt.Errorf("ask about executors: %w", err)
}

// saysNothing reports whether a refusal is about the moment or about the question, and not about the pod: a quota that is
// used up now, or not counted yet, may have room when executors are made, and a webhook that has effects elsewhere cannot be
// asked beforehand.
func saysNothing(err error) bool {
	for _, words := range []string{"exceeded quota", "status unknown for quota"} {
		if apierrors.IsForbidden(err) && strings.Contains(err.Error(), words) {
			return true
		}
	}
	return apierrors.IsBadRequest(err) && strings.Contains(err.Error(), "does not support dry run")
}
