// Package monitoring makes the chart's Grafana dashboard, and tests it and the alert rules. It is a module of its own since
// Prometheus' parser and Grafana's schema are nothing that the product needs.
package monitoring

import (
	"encoding/json"
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// datasource is the variable that chooses a Prometheus.
const datasource = "datasource"

// The size of a panel, in Grafana's grid, which is 24 wide.
const width, height = 8, 8

// row is a row of panels.
type row struct {
	title  string
	panels []panel
}

type panel struct {
	title, description string
	// unit is one of Grafana's.
	unit    string
	queries []query
	// now shows the last value alone, and no time.
	now bool
	// stacked puts series on top of each other, where their sum has a meaning.
	stacked bool
}

type query struct{ expr, legend string }

// quantiles are three queries for the quantiles of a histogram.
func quantiles(histogram string) []query {
	var queries []query
	for _, quantile := range []string{"0.5", "0.9", "0.99"} {
		queries = append(queries, query{
			fmt.Sprintf("histogram_quantile(%s, sum by (le) (rate(%s_bucket{namespace=~\"$namespace\"}[$__rate_interval])))", quantile, histogram),
			quantile,
		})
	}
	return queries
}

// Dashboard returns the dashboard as it lies in the chart. Gauges are shown by each replica of the operator, so that of
// the several in a namespace the highest is taken; counters count with the one that leads, and are added up.
func Dashboard() ([]byte, error) {
	//nolint:staticcheck // every Grafana imports this form; the newer one only those since 12
	builder := dashboard.NewDashboardBuilder("Brazier").
		Uid("brazier").
		Description("Spark applications, and the operator that runs them. What is odd about each figure is in docs/metrics.md, what to do in docs/operations.").
		Tags([]string{"brazier", "spark"}).
		Editable().
		Time("now-6h", "now").
		Refresh("1m").
		Timezone(common.TimeZoneBrowser).
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		WithVariable(dashboard.NewDatasourceVariableBuilder(datasource).Label("Prometheus").Type("prometheus")).
		WithVariable(dashboard.NewQueryVariableBuilder("namespace").Label("operator in").
			Datasource(chosen()).
			Query(dashboard.StringOrMap{String: cog.ToPtr("label_values(brazier_build_info, namespace)")}).
			Refresh(dashboard.VariableRefreshOnTimeRangeChanged).
			IncludeAll(true).AllValue(".*").Multi(true).Current(all()))
	id := uint32(0)
	for _, row := range rows() {
		id++
		builder.WithRow(dashboard.NewRowBuilder(row.title).Id(id))
		for _, panel := range row.panels {
			id++
			builder.WithPanel(panel.build(id))
		}
	}
	built, err := builder.Build()
	if err != nil {
		return nil, fmt.Errorf("build the dashboard: %w", err)
	}
	text, err := json.MarshalIndent(built, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the dashboard: %w", err)
	}
	return append(text, '\n'), nil
}

// all is what is chosen of a variable until somebody chooses.
func all() dashboard.VariableOption {
	return dashboard.VariableOption{
		Text: dashboard.StringOrArrayOfString{String: cog.ToPtr("All")}, Value: dashboard.StringOrArrayOfString{String: cog.ToPtr("$__all")},
	}
}

func chosen() common.DataSourceRef {
	return common.DataSourceRef{Type: cog.ToPtr("prometheus"), Uid: cog.ToPtr("${" + datasource + "}")}
}

func (p panel) build(id uint32) cog.Builder[dashboard.Panel] {
	var targets []cog.Builder[variants.Dataquery]
	for i, query := range p.queries {
		target := prometheus.NewDataqueryBuilder().RefId(string(rune('A' + i))).Expr(query.expr).LegendFormat(query.legend)
		if p.now {
			target.Instant()
		} else {
			target.Range()
		}
		targets = append(targets, target)
	}
	if p.now {
		return stat.NewPanelBuilder().Id(id).Title(p.title).Description(p.description).Unit(p.unit).Datasource(chosen()).
			Targets(targets).Span(width).Height(height).Orientation(common.VizOrientationAuto).
			ReduceOptions(common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"}))
	}
	built := timeseries.NewPanelBuilder().Id(id).Title(p.title).Description(p.description).Unit(p.unit).Datasource(chosen()).
		Targets(targets).Min(0).Span(width).Height(height).
		Legend(common.NewVizLegendOptionsBuilder().ShowLegend(true).DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom)).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
	if p.stacked {
		built.Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal)).FillOpacity(20)
	}
	return built
}
