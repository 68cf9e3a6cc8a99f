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
    private readonly MetricSeries?[] _seconds; // By command.
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
        _seconds = [.. RespCommands.All.Select(command => command.SecondsLabel is { } label ? metrics.Seconds.With(Front, label) : null)];
        _refused = metrics.PutRefused;
    }

    /// <summary>Commands that the front does not have.</summary>
    public MetricSeries Unknown { get; }

    /// <param name="took">From its last byte, or from its turn; of what failed it is not counted.</param>
    public void Count(RespCommand command, RespOutcome outcome, TimeSpan took)
    {
        _commands[command.Index * Outcomes + (int)outcome].Add();
        if (outcome != RespOutcome.Error)
        {
            _seconds[command.Index]?.Observe(took.TotalSeconds);
        }
    }

    public void PutRefused(ClientPutOutcome outcome) => _refused.With(Front, outcome.ToString()).Add();
}
