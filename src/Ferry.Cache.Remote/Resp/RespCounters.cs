using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Fronts;
using Ferry.Kv.Metrics;

namespace Ferry.Cache.Remote.Resp;

/// <summary>The front's series, looked up once: a label look-up makes a string, which no command may pay.</summary>
internal sealed class RespCounters
{
    public const string Front = "resp";

    private static readonly int Outcomes = Enum.GetValues<RespOutcome>().Length;

    private readonly MetricSeries[] _commands;
    private readonly MetricFamily _refused;

    public RespCounters(FrontMetrics metrics)
    {
        _commands = new MetricSeries[RespCommands.All.Count * Outcomes];
        for (var index = 0; index < _commands.Length; index++)
        {
            _commands[index] = metrics.Commands.With(
                Front, RespCommands.All[index / Outcomes].Name.ToLowerInvariant(), ((RespOutcome)(index % Outcomes)).ToString().ToLowerInvariant());
        }
        Unknown = metrics.Commands.With(Front, "other", "error");
        GetSeconds = metrics.Seconds.With(Front, "get");
        SetSeconds = metrics.Seconds.With(Front, "set");
        _refused = metrics.PutRefused;
    }

    /// <summary>Commands that the front does not have.</summary>
    public MetricSeries Unknown { get; }

    public MetricSeries GetSeconds { get; }

    public MetricSeries SetSeconds { get; }

    public void Count(RespCommand command, RespOutcome outcome) => _commands[command.Index * Outcomes + (int)outcome].Add();

    public void PutRefused(ClientPutOutcome outcome) => _refused.With(Front, outcome.ToString()).Add();
}
