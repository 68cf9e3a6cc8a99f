using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Fronts;
using Ferry.Kv.Metrics;

namespace Ferry.Cache.Remote.Lm;

/// <summary>The front's series, looked up once: a label look-up makes a string, which no command may pay.</summary>
internal sealed class LmCounters
{
    private readonly MetricSeries[] _found;
    private readonly MetricSeries[] _missed;
    private readonly MetricFamily _refused;

    public LmCounters(FrontMetrics metrics)
    {
        var commands = Enum.GetValues<LmCommand>();
        _found = [.. commands.Select(command => metrics.Commands.With(LmFront.Name, NameOf(command), command is LmCommand.Get or LmCommand.Exist ? "hit" : "ok"))];
        _missed = [.. commands.Select(command => metrics.Commands.With(LmFront.Name, NameOf(command), command is LmCommand.Get or LmCommand.Exist ? "miss" : "error"))];
        GetSeconds = metrics.Seconds.With(LmFront.Name, "get");
        PutSeconds = metrics.Seconds.With(LmFront.Name, "put");
        _refused = metrics.PutRefused;
    }

    public MetricSeries GetSeconds { get; }

    public MetricSeries PutSeconds { get; }

    public void Count(LmCommand command, bool found) => (found ? _found : _missed)[(int)command - 1].Add();

    public void PutRefused(ClientPutOutcome outcome) => _refused.With(LmFront.Name, outcome.ToString()).Add();

    private static string NameOf(LmCommand command) => command.ToString().ToLowerInvariant();
}
