using Ferry.TestKit;
using Ferry.TestKit.Contracts;
using Ferry.TestKit.Transfer;
using Ferry.Transfer;
using Ferry.Transfer.InProcess;

namespace Ferry.UnitTests.Transfer;

public sealed class InProcessAgentTests : TransferProofContract
{
    private readonly SteppedClock _clock = new();
    private readonly InProcessNetwork _network;
    private int _agentCount;

    public InProcessAgentTests() => _network = new InProcessNetwork(_clock);

    protected override TimeProvider Clock => _clock;

    // Each segment is copied through an array of its own here; the size is proved where bytes move straight.
    protected override long LargeBytes => 64 << 20;

    protected override Task<ITransferAgent> StartAsync(TransferAgentOptions options, string? endpoint) =>
        Task.FromResult<ITransferAgent>(InProcessTransferAgent.Start(_network, endpoint ?? $"agent-{++_agentCount}", options));

    // Bytes come with their segment only; the sends of one are so short that a few turns of the scheduler lie between any two pieces.
    protected override async Task BytesOnTheWayAsync(ITransferAgent owner, TestArena target, int offset, Task reading)
    {
        for (var turn = 0; turn < offset / 10_000 && !reading.IsCompleted; turn++)
        {
            await Task.Yield();
        }
    }

    protected override Task PassAsync(TimeSpan time)
    {
        _clock.Advance(time);
        return Task.CompletedTask;
    }
}
