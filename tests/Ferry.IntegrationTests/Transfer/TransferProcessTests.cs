using System.Diagnostics;
using Ferry.Transfer;
using Ferry.Transfer.Media;
using Ferry.Transfer.Probe;
using Ferry.Transfer.SharedMemory;
using Ferry.Transfer.Tcp;
using Ferry.Transfer.Ucx;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.IntegrationTests.Transfer;

/// <summary>Peers that are killed or stopped, as real processes, by each medium and at every phase.</summary>
public sealed class TransferProcessTests
{
    private const long LendBytes = 64 << 20;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, TransferDirection> Ways() =>
        [.. from medium in new[] { "tcp", "shm", "shm-mapped", "ucx" } from direction in new[] { TransferDirection.Read, TransferDirection.Write } select (medium, direction)];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Peer_KilledAtAnyMoment_FailsWhatIsInFlightAndLeavesNothing(string medium, TransferDirection direction)
    {
        await using var agent = await StartAsync(medium);
        var failures = 0;
        for (var round = 0; round < 4; round++)
        {
            await using var lender = await LenderProcess.StartAsync(LendBytes);
            var (peer, probe) = await OpenAsync(agent, lender, medium);
            Assert.True((await probe.VerifyAsync(round, Token)).IsSuccess);
            var moving = probe.RunAsync(new ProbeCell(direction, 16 << 20, 4, TimeSpan.FromSeconds(30)), null, Token);
            await Task.Delay(round * 37, Token); // the moment is what varies
            lender.Kill();
            var sample = await moving.WaitAsync(TimeSpan.FromSeconds(20), Token);
            failures += sample.Failure is null ? 0 : 1;
            Assert.Equal(TransferSide.Remote, sample.Failure!.Value.Side);
            var closed = await peer.Closed.WaitAsync(TimeSpan.FromSeconds(20), Token);
            Assert.Equal((TransferSide.Remote, TransferError.ConnectionLost), (closed.Side, closed.Error));
            await probe.DisposeAsync();
            await peer.DisposeAsync();
            Assert.Equal((0, 0, 0, 0L), (agent.Counts.Connections, agent.Counts.Regions, agent.Counts.TransfersInFlight, agent.Counts.RegisteredBytes));
        }
        Assert.True(failures > 0);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Peer_Stopped_IsDeadInThreeSecondsAndABitAndItsLeaseIsOverWhenItGoesOn(string medium, TransferDirection direction)
    {
        await using var agent = await StartAsync(medium);
        await using var lender = await LenderProcess.StartAsync(LendBytes);
        var (peer, probe) = await OpenAsync(agent, lender, medium);
        var moving = probe.RunAsync(new ProbeCell(direction, 16 << 20, 2, TimeSpan.FromSeconds(60)), null, Token);
        await Task.Delay(200, Token);
        var clock = Stopwatch.StartNew();

        lender.Stop();

        var closed = await peer.Closed.WaitAsync(TimeSpan.FromSeconds(30), Token);
        // 3 s of silence, seen at the next sweep of 0.25 s; the rest is what a busy machine adds.
        Assert.InRange(clock.Elapsed.TotalSeconds, 1.5, 8);
        Assert.Equal((TransferSide.Remote, TransferError.TimedOut), (closed.Side, closed.Error));
        Assert.Equal(TransferSide.Remote, (await moving).Failure!.Value.Side);
        await probe.DisposeAsync();
        await peer.DisposeAsync();
        lender.Continue();
        // It finds its peer gone, ends the lease, and lends again: to the same process, by a new connection.
        for (var wait = Stopwatch.StartNew(); ;)
        {
            var (again, outcome) = await agent.ConnectAsync(lender.Endpoint, Token);
            Assert.True(wait.Elapsed < TimeSpan.FromSeconds(30), outcome.ToString());
            if (again is not null)
            {
                await using var owned = again;
                var (second, refusal) = await TransferProbe.OpenAsync(agent, again, LendBytes, MemoryOf(medium), TimeProvider.System, Token);
                if (second is not null)
                {
                    var whole = await second.VerifyAsync(1, Token);
                    Assert.True(whole.IsSuccess, whole.ToString());
                    await second.DisposeAsync();
                    break;
                }
                Assert.Equal(TransferError.Overloaded, refusal.Error);
            }
            await Task.Delay(100, Token);
        }
    }

    private static ProbeMemory MemoryOf(string medium) => medium == "shm-mapped" ? ProbeMemory.Shared : ProbeMemory.Private;

    private static async Task<TcpTransferAgent> StartAsync(string medium) => await TcpTransferAgent.StartAsync(
        new TcpAgentOptions
        {
            EngineId = "asker",
            Port = 0,
            Media = medium switch
            {
                "tcp" => [],
                "ucx" => (IReadOnlyList<DataMedium>)[await UcxMedium.StartAsync(new UcxOptions { Transports = "tcp" }, NullLogger.Instance)],
                _ => [new SharedMemoryMedium()],
            },
            AllowBytesOverTcp = medium == "tcp",
        }, Token);

    private static async Task<(ITransferPeer Peer, TransferProbe Probe)> OpenAsync(TcpTransferAgent agent, LenderProcess lender, string medium)
    {
        var (peer, outcome) = await agent.ConnectAsync(lender.Endpoint, Token);
        Assert.True(peer is not null, $"{outcome}{Environment.NewLine}{lender.Tail}");
        Assert.Equal(medium[..3], peer.Medium.Name);
        var (probe, refusal) = await TransferProbe.OpenAsync(agent, peer, LendBytes, MemoryOf(medium), TimeProvider.System, Token);
        Assert.True(probe is not null, refusal.ToString());
        return (peer, probe);
    }
}
