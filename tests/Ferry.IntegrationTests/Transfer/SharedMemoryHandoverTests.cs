using Ferry.TestKit.Contracts;
using Ferry.Transfer;
using Ferry.Transfer.SharedMemory;
using Ferry.Transfer.Tcp;

namespace Ferry.IntegrationTests.Transfer;

public sealed class SharedMemoryHandoverTests : HandoverContract
{
    protected override int Iterations => 20;

    protected override TimeProvider Clock => TimeProvider.System;

    protected override Task<ITransferAgent> StartAsync(TransferAgentOptions options, string? endpoint) => StartAgentAsync(options);

    internal static async Task<ITransferAgent> StartAgentAsync(TransferAgentOptions options) =>
        await TcpTransferAgent.StartAsync(new TcpAgentOptions
        {
            EngineId = options.EngineId,
            Handler = options.Handler,
            Kv = options.Kv,
            Media = [new SharedMemoryMedium()],
            Port = 0,
        }, TestContext.Current.CancellationToken);

    protected override Task PassAsync(TimeSpan time) => Task.Delay(time, TestContext.Current.CancellationToken);
}
