using Ferry.TestKit.Contracts;
using Ferry.Transfer;
using Ferry.Transfer.Tcp;

namespace Ferry.IntegrationTests.Transfer;

public sealed class TcpHandoverTests : HandoverContract
{
    protected override int Iterations => 40;

    protected override TimeProvider Clock => TimeProvider.System;

    protected override async Task<ITransferAgent> StartAsync(TransferAgentOptions options, string? endpoint) =>
        await TcpTransferAgent.StartAsync(new TcpAgentOptions
        {
            EngineId = options.EngineId,
            Handler = options.Handler,
            Kv = options.Kv,
            Port = 0,
        }, TestContext.Current.CancellationToken);

    protected override Task PassAsync(TimeSpan time) => Task.Delay(time, TestContext.Current.CancellationToken);
}
