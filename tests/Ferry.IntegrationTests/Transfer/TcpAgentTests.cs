using Ferry.TestKit.Contracts;
using Ferry.Transfer;
using Ferry.Transfer.Tcp;

namespace Ferry.IntegrationTests.Transfer;

public sealed class TcpAgentTests : TransferProofContract
{
    protected override TimeProvider Clock => TimeProvider.System;

    protected override async Task<ITransferAgent> StartAsync(TransferAgentOptions options, string? endpoint) =>
        await TcpTransferAgent.StartAsync(new TcpAgentOptions
        {
            EngineId = options.EngineId,
            Handler = options.Handler,
            Transfers = options.Transfers,
            Kv = options.Kv,
            Clock = options.Clock,
            Port = endpoint is null ? 0 : TcpEndpoint.TryParse(endpoint)!.Port,
        }, TestContext.Current.CancellationToken);

    protected override Task PassAsync(TimeSpan time) => Task.Delay(time, TestContext.Current.CancellationToken);
}
