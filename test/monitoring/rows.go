package monitoring

// controllers are those of the operator, whose library names its metrics like every other's.
const controllers = "sparkapplication|scheduledsparkapplication|sparkconnect"

// rows are what the dashboard shows.
func rows() []row {
	return []row{
		{title: "What there is", panels: []panel{
			{
				title: "Applications", now: true, unit: "short",
				description: "Applications that run, and executors that run for them.",
				queries: []query{
					{`sum(max by (namespace) (spark_application_running_count{namespace=~"$namespace"}))`, "applications"},
					{`sum(max by (namespace) (spark_executor_running_count{namespace=~"$namespace"}))`, "executors"},
				},
			},
			{
				title: "Applications by state", unit: "short", stacked: true,
				description: "NEW and SUBMITTED grow where something waits; INVALIDATING and SUSPENDING stay where a driver's pod does not go.",
				queries:     []query{{`sum by (state) (max by (namespace, state) (brazier_applications{namespace=~"$namespace"}))`, "{{state}}"}},
			},
			{
				title: "Executors that run", unit: "short",
				queries: []query{{`sum(max by (namespace) (spark_executor_running_count{namespace=~"$namespace"}))`, "executors"}},
			},
		}},
		{title: "Runs", panels: []panel{
			{
				title: "Runs an hour", unit: "short",
				description: "Submitted far above seen means that runs are repeated.",
				queries: []query{
					{`sum(rate(spark_application_count{namespace=~"$namespace"}[$__rate_interval])) * 3600`, "applications seen"},
					{`sum(rate(spark_application_submit_count{namespace=~"$namespace"}[$__rate_interval])) * 3600`, "submitted"},
					{`sum(rate(spark_application_success_count{namespace=~"$namespace"}[$__rate_interval])) * 3600`, "ended well"},
					{`sum(rate(spark_application_failure_count{namespace=~"$namespace"}[$__rate_interval])) * 3600`, "failed"},
					{`sum(rate(spark_application_failed_submission_count{namespace=~"$namespace"}[$__rate_interval])) * 3600`, "refused"},
				},
			},
			{
				title: "Failures an hour, by cause", unit: "short", stacked: true,
				description: "disrupted and rejected are the infrastructure's; docs/states.md says what each is.",
				queries:     []query{{`sum by (cause) (rate(brazier_run_failures_total{namespace=~"$namespace"}[$__rate_interval])) * 3600`, "{{cause}}"}},
			},
			{
				title: "Retries an hour, by cause", unit: "short", stacked: true,
				description: "Retries that rise like the failures of their cause help nobody.",
				queries:     []query{{`sum by (cause) (rate(brazier_run_retries_total{namespace=~"$namespace"}[$__rate_interval])) * 3600`, "{{cause}}"}},
			},
			{
				title: "What runs failed of or waited for, an hour", unit: "short", stacked: true,
				description: "The first cause that was found of each; the application's condition Diagnosed and the record of its run say more.",
				queries:     []query{{`sum by (cause) (rate(brazier_application_causes_total{namespace=~"$namespace"}[$__rate_interval])) * 3600`, "{{cause}}"}},
			},
			{
				title: "Executors an hour", unit: "short",
				description: "Executors that fail while runs end well are lost and replaced.",
				queries: []query{
					{`sum(rate(spark_executor_success_count{namespace=~"$namespace"}[$__rate_interval])) * 3600`, "ended well"},
					{`sum(rate(spark_executor_failure_count{namespace=~"$namespace"}[$__rate_interval])) * 3600`, "failed"},
				},
			},
		}},
		{title: "Times", panels: []panel{
			{title: "From creation to submission", unit: "s", queries: quantiles("spark_application_submit_latency_seconds_histogram")},
			{
				title: "From creation until the driver runs", unit: "s", queries: quantiles("spark_application_start_latency_seconds_histogram"),
				description: "What is above the submission's is the scheduler, the image or the queue.",
			},
			{
				title: "From a driver's end until status tells of it", unit: "s", queries: quantiles("brazier_run_end_delay_seconds"),
				description: "Kubernetes tells the end to the second, so that up to 1 means nothing.",
			},
			{
				title: "How long runs take", unit: "s",
				queries: []query{
					{`max(spark_application_success_execution_time_seconds{namespace=~"$namespace", quantile="0.9"})`, "0.9 of those that end well"},
					{`max(spark_application_failure_execution_time_seconds{namespace=~"$namespace", quantile="0.9"})`, "0.9 of those that fail"},
				},
			},
		}},
		{title: "Queues", panels: []panel{
			{
				title: "Applications that wait", unit: "short",
				description: "In queues that have no parts and in those that have: root is all. The condition Admitted of an application says what it waits for.",
				queries: []query{
					{`max by (queue) (brazier_queue_waiting{namespace=~"$namespace"})`, "{{queue}}"},
					{`max by (queue) (brazier_queue_running{namespace=~"$namespace", queue="root"})`, "{{queue}} runs"},
				},
			},
			{
				title: "Shares beyond guarantees", unit: "percentunit",
				description: "Weighted dominant shares. Siblings that wait have about the same.",
				queries:     []query{{`max by (queue) (brazier_queue_share_ratio{namespace=~"$namespace"})`, "{{queue}}"}},
			},
			{
				title: "CPU used, guaranteed and on its way back", unit: "short",
				queries: []query{
					{`sum by (queue) (max by (queue, flavour) (brazier_queue_used{namespace=~"$namespace", resource="cpu"}))`, "{{queue}}"},
					{`sum by (queue) (max by (queue, flavour) (brazier_queue_guaranteed{namespace=~"$namespace", resource="cpu"}))`, "{{queue}} is guaranteed"},
					{`sum by (queue) (max by (queue, flavour) (brazier_queue_leaving{namespace=~"$namespace", resource="cpu"}))`, "{{queue}} gives back"},
				},
			},
			{
				title: "Let in, let go, taken back and refused an hour", unit: "short",
				description: "Executors taken back all the time mean shares that swing: a larger dead zone or cool-down calms them.",
				queries: []query{
					{`sum(rate(brazier_queue_admissions_total{namespace=~"$namespace"}[$__rate_interval])) * 3600`, "runs let in"},
					{`sum(rate(brazier_queue_executors_let_go_total{namespace=~"$namespace"}[$__rate_interval])) * 3600`, "executors let go"},
					{`sum by (ground) (rate(brazier_queue_executors_taken_back_total{namespace=~"$namespace"}[$__rate_interval])) * 3600`, "executors taken back: {{ground}}"},
					{`sum by (ground) (rate(brazier_queue_applications_taken_back_total{namespace=~"$namespace"}[$__rate_interval])) * 3600`, "runs taken back: {{ground}}"},
					{`sum by (reason) (rate(brazier_queue_refusals_total{namespace=~"$namespace"}[$__rate_interval])) * 3600`, "refused: {{reason}}"},
				},
			},
			{title: "How long runs waited", unit: "s", queries: quantiles("brazier_queue_wait_seconds")},
			{
				title: "How long a round of decisions takes", unit: "s", queries: quantiles("brazier_queue_round_seconds"),
				description: "With what is done about them.",
			},
		}},
		{title: "Schedules", panels: []panel{
			{
				title: "Schedules by state", unit: "short", stacked: true,
				description: "FailedValidation will never run.",
				queries:     []query{{`sum by (state) (max by (namespace, state) (brazier_schedules{namespace=~"$namespace"}))`, "{{state}}"}},
			},
			{
				title: "Schedules that are late", unit: "short",
				queries: []query{{`sum(max by (namespace) (brazier_schedules_late{namespace=~"$namespace"}))`, "late"}},
			},
			{
				title: "Runs of schedules an hour", unit: "short",
				queries: []query{
					{`sum(rate(brazier_schedule_runs_total{namespace=~"$namespace"}[$__rate_interval])) * 3600`, "started"},
					{`sum by (reason) (rate(brazier_schedule_skipped_total{namespace=~"$namespace"}[$__rate_interval])) * 3600`, "left out: {{reason}}"},
				},
			},
		}},
		{title: "Connect servers", panels: []panel{
			{
				title: "Connect servers by state", unit: "short", stacked: true,
				description: "Failed will not run before its specification is corrected.",
				queries:     []query{{`sum by (state) (max by (namespace, state) (brazier_connect_servers{namespace=~"$namespace"}))`, "{{state}}"}},
			},
			{
				title: "Restarts of Connect servers an hour", unit: "short",
				description: "Of those that ended by themselves.",
				queries:     []query{{`sum(rate(brazier_connect_restarts_total{namespace=~"$namespace"}[$__rate_interval])) * 3600`, "restarts"}},
			},
		}},
		{title: "The operator", panels: []panel{
			{
				title: "Versions", now: true, unit: "short",
				description: "How many replicas there are of each version.",
				queries:     []query{{`count by (version) (brazier_build_info{namespace=~"$namespace"})`, "{{version}}"}},
			},
			{
				title: "Who leads", unit: "short",
				queries: []query{{`leader_election_master_status{namespace=~"$namespace", name="brazier-operator"}`, "{{pod}}"}},
			},
			{
				title: "CPU", unit: "short",
				description: "In cores.",
				queries: []query{
					{`rate(process_cpu_seconds_total{namespace=~"$namespace"}[$__rate_interval]) and on (job, instance) brazier_build_info`, "{{pod}}"},
				},
			},
			{
				title: "Memory", unit: "bytes",
				description: "Resident, and what Go's runtime aims to stay below: nine tenths of the container's limit.",
				queries: []query{
					{`process_resident_memory_bytes{namespace=~"$namespace"} and on (job, instance) brazier_build_info`, "{{pod}}"},
					{`max((go_gc_gomemlimit_bytes{namespace=~"$namespace"} < 1e15) and on (job, instance) brazier_build_info)`, "aim"},
				},
			},
			{
				title: "Objects that wait to be looked at", unit: "short",
				queries: []query{
					{`sum by (controller) (workqueue_depth{namespace=~"$namespace", controller=~"` + controllers + `"})`, "{{controller}}"},
				},
			},
			{
				title: "Steps a second, by how they ended", unit: "short",
				queries: []query{
					{`sum by (controller, result) (rate(controller_runtime_reconcile_total{namespace=~"$namespace", controller=~"` + controllers + `"}[$__rate_interval]))`, "{{controller}} {{result}}"},
				},
			},
			{
				title: "Requests a second to the API server, by answer", unit: "short", stacked: true,
				queries: []query{
					{`sum by (method, code) (rate(rest_client_requests_total{namespace=~"$namespace"}[$__rate_interval]) and on (job, instance) brazier_build_info)`, "{{method}} {{code}}"},
				},
			},
			{
				title: "How long the API server takes", unit: "s",
				queries: []query{
					{`histogram_quantile(0.9, sum by (verb, le) (rate(rest_client_request_duration_seconds_bucket{namespace=~"$namespace"}[$__rate_interval]) and on (job, instance) brazier_build_info))`, "0.9 of {{verb}}"},
				},
			},
		}},
	}
}
