using System.Collections.Concurrent;

namespace Ferry.Transfer.InProcess;

/// <summary>Carries messages between the in-process agents that were started on it, by endpoint name, with the faults of a plan.</summary>
public sealed class InProcessNetwork(TimeProvider clock, FaultPlan? faults = null)
{
    private readonly ConcurrentDictionary<string, InProcessTransferAgent> _agents = new(StringComparer.Ordinal);

    public FaultPlan Faults { get; } = faults ?? new FaultPlan(seed: 0, FaultRates.None);

    internal void Add(InProcessTransferAgent agent)
    {
        if (!_agents.TryAdd(agent.Endpoint, agent))
        {
            throw new InvalidOperationException($"An agent is already at '{agent.Endpoint}'.");
        }
    }

    internal void Remove(InProcessTransferAgent agent) =>
        _agents.TryRemove(new KeyValuePair<string, InProcessTransferAgent>(agent.Endpoint, agent));

    internal InProcessTransferAgent? TryFind(string endpoint) => _agents.GetValueOrDefault(endpoint);

    /// <summary>
    /// Carries one message: returns its fate once it has arrived. A dropped one never arrives: the task then ends by
    /// <paramref name="deadline"/> only.
    /// </summary>
    internal async ValueTask<MessageFate> CarryAsync(string from, string to, CancellationToken deadline)
    {
        var fate = Faults.Next(from, to);
        if (fate.IsDropped)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, clock, deadline);
        }
        if (fate.Delay > TimeSpan.Zero)
        {
            await Task.Delay(fate.Delay, clock, deadline);
        }
        return fate;
    }

    /// <summary>Flips the bit that a fate names.</summary>
    internal static void Corrupt(in MessageFate fate, Span<byte> message)
    {
        if (fate.CorruptBit is { } bit && message.Length > 0)
        {
            bit %= (ulong)message.Length * 8;
            message[(int)(bit / 8)] ^= (byte)(1 << (int)(bit % 8));
        }
    }
}
