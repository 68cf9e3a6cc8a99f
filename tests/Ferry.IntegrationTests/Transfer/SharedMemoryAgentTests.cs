using Ferry.TestKit.Contracts;
using Ferry.Transfer;
using Ferry.Transfer.SharedMemory;
using Ferry.Transfer.Tcp;

namespace Ferry.IntegrationTests.Transfer;

/// <summary>The contract where bytes are read out of the other's memory (process_vm_readv), and may travel in no other way.</summary>
public sealed class SharedMemoryAgentTests : TransferProofContract
{
    protected override TimeProvider Clock => TimeProvider.System;

    protected override async Task<ITransferAgent> StartAsync(TransferAgentOptions options, string? endpoint) =>
        await TcpTransferAgent.StartAsync(new TcpAgentOptions
        {
            EngineId = options.EngineId,
            Handler = options.Handler,
            // Many small segments, so that what ends midway ends between two of them.
            Transfers = options.Transfers with { InPlaceSegmentBytes = options.Transfers.SegmentBytes },
            Kv = options.Kv,
            Clock = options.Clock,
            Media = [new SharedMemoryMedium()],
            AllowBytesOverTcp = false,
            Port = endpoint is null ? 0 : TcpEndpoint.TryParse(endpoint)!.Port,
        }, TestContext.Current.CancellationToken);

    protected override Task PassAsync(TimeSpan time) => Task.Delay(time, TestContext.Current.CancellationToken);
}
