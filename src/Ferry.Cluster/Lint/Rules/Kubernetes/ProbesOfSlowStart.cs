using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Kubernetes;

/// <summary>Probes that do not fit an engine's slow start.</summary>
internal sealed class ProbesOfSlowStart : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-K8S004",
        Severity = LintSeverity.Warning,
        Title = "Probes that do not fit an engine's slow start",
        Why = "A 70B model loads for minutes. Without a readiness probe a Service sends requests to an engine that is not there; a liveness " +
            "probe without a startup probe (or a long initial delay) kills it while it loads, for ever. Ready is not enough for a hand-over: " +
            "the side channel must answer too.",
        Symptom = "`CrashLoopBackOff with exit code 137` during model load; 502 right after a rollout.",
        Fix = "Add a readinessProbe on /health and a startupProbe with failureThreshold × periodSeconds of at least 10 minutes.",
        Versions = "every version",
        Sources = ["vLLM docs/deployment/k8s.md", "vLLM #41313"],
        GoodExample = RuleExample.Kubernetes("""
            apiVersion: v1
            kind: Pod
            metadata: { name: prefill }
            spec:
              containers:
                - name: vllm
                  image: rocm/vllm:v0.20.0
                  command: ["vllm", "serve", "meta-llama/Llama-3.1-8B-Instruct"]
                  startupProbe: { httpGet: { path: /health, port: 8000 }, periodSeconds: 10, failureThreshold: 120 }
                  readinessProbe: { httpGet: { path: /health, port: 8000 }, periodSeconds: 5 }
                  livenessProbe: { httpGet: { path: /health, port: 8000 }, periodSeconds: 10, failureThreshold: 3 }
                  resources: { limits: { amd.com/gpu: 1 } }
            """),
        BadExample = RuleExample.Kubernetes("""
            apiVersion: v1
            kind: Pod
            metadata: { name: prefill }
            spec:
              containers:
                - name: vllm
                  image: rocm/vllm:v0.20.0
                  command: ["vllm", "serve", "meta-llama/Llama-3.1-8B-Instruct"]
                  livenessProbe: { httpGet: { path: /health, port: 8000 }, periodSeconds: 10, failureThreshold: 3 }
                  resources: { limits: { amd.com/gpu: 1 } }
            """),
    };

    /// <summary>A liveness probe may fail for this long before it kills: weights of 140 GB from a fast disk take minutes.</summary>
    private const double PatienceSeconds = 300;

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Kubernetes is not { } kubernetes) { return; }
        var readiness = kubernetes.Probes.FirstOrDefault(probe => probe.Kind == "readinessProbe");
        var startup = kubernetes.Probes.FirstOrDefault(probe => probe.Kind == "startupProbe");
        if (readiness is null)
        {
            findings.Report(Info, engine.HeadSpan, $"{engine.Name} has no readinessProbe: it gets requests while it loads. Add one on /health.");
        }
        if (startup is not null && Patience(startup) is { } seconds and < PatienceSeconds)
        {
            findings.Report(Info, startup.Span, $"the startupProbe of {engine.Name} gives up after {seconds:0} s, and a large model loads longer. Raise failureThreshold × periodSeconds to 600 s or more.");
        }
        if (startup is null && kubernetes.Probes.FirstOrDefault(probe => probe.Kind == "livenessProbe") is { } liveness && Patience(liveness) is { } patience and < PatienceSeconds)
        {
            findings.Report(Info, liveness.Span, $"the livenessProbe of {engine.Name} kills it {patience:0} s after the start, while it loads. Add a startupProbe of 600 s or more.");
        }
    }

    // Kubernetes' defaults: initialDelaySeconds 0, periodSeconds 10, failureThreshold 3.
    private static double? Patience(KubernetesProbe probe)
    {
        var delay = probe.InitialDelaySeconds is null ? 0 : probe.InitialDelaySeconds.TryDouble();
        var period = probe.PeriodSeconds is null ? 10 : probe.PeriodSeconds.TryDouble();
        var failures = probe.FailureThreshold is null ? 3 : probe.FailureThreshold.TryDouble();
        return delay + (period * failures);
    }
}
