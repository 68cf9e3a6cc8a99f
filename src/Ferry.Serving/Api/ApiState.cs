using Ferry.Engine.Generation;
using Ferry.Serving.Metrics;
using Ferry.Serving.Options;
using Microsoft.Extensions.Logging;

namespace Ferry.Serving.Api;

/// <summary>What every endpoint works with; one for the life of the host.</summary>
/// <param name="ModelNames">Names that requests may use; the first stands in answers.</param>
/// <param name="Reports">Null when this node exchanges no KV.</param>
internal sealed record ApiState(
    ILlmEngine Engine, IReadOnlyList<string> ModelNames, ApiOptions Limits, IKvReports? Reports, ServingMetrics Metrics, TimeProvider Clock, ILogger Logger)
{
    public string ModelName => ModelNames[0];

    public long UnixSeconds => Clock.GetUtcNow().ToUnixTimeSeconds();
}
