using System.Globalization;
using Ferry.Cluster.Planning;
using Ferry.Cluster.Planning.Simulation;
using Ferry.Cluster.Reading;
using Ferry.Cluster.Spec;

namespace Ferry.Cli.Commands.Cluster;

/// <summary>All that <c>ferry plan</c> says; as JSON it is written as it stands here.</summary>
/// <param name="Simulation">Null without a trace.</param>
/// <param name="HitCurve">Null without a trace.</param>
/// <param name="Warnings">Of the simulation: what it could not take from the file or the trace.</param>
internal sealed record PlanReport(
    CapacityPlan Plan, SimulationResult? Simulation, IReadOnlyList<HitPoint>? HitCurve, string CurvePolicy, IReadOnlyList<string> Warnings)
{
    /// <exception cref="PlanException">The trace is none, or the cluster cannot be planned.</exception>
    public static PlanReport Make(ClusterSpec spec, string? tracePath, SimulationOptions options)
    {
        var plan = CapacityPlanner.Plan(spec);
        if (tracePath is null)
        {
            return new(plan, null, null, "", []);
        }
        var trace = TraceFile.Read(tracePath);
        var result = ClusterSimulation.Run(spec, trace, options);
        var warnings = new List<string>();
        if (result.Refused > 0)
        {
            warnings.Add(string.Create(CultureInfo.InvariantCulture, $"{result.Refused:N0} requests are longer than model.maxLength {spec.Model.MaxLength:N0}, or than the KV of a decode node: the engines would refuse them. The longest has {trace.LongestTokens:N0} tokens."));
        }
        return new(plan, result, Ferry.Cluster.Planning.Simulation.HitCurve.Of(trace, plan.KvBytesPerToken, spec.Cache.Policy), SpecNames.Of(spec.Cache.Policy), warnings);
    }
}
