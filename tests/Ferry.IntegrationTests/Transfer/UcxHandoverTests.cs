using Ferry.TestKit.Contracts;
using Ferry.Transfer;
using Ferry.Transfer.Tcp;
using Ferry.Transfer.Ucx;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.IntegrationTests.Transfer;

public sealed class UcxHandoverTests : HandoverContract
{
    protected override int Iterations => 40; // Each starts two workers of UCX; fewer may all take one way.

    protected override TimeProvider Clock => TimeProvider.System;

    protected override async Task<ITransferAgent> StartAsync(TransferAgentOptions options, string? endpoint) =>
        await TcpTransferAgent.StartAsync(new TcpAgentOptions
        {
            EngineId = options.EngineId,
            Handler = options.Handler,
            Kv = options.Kv,
            Media = [await UcxMedium.StartAsync(new UcxOptions { Transports = "tcp" }, NullLogger.Instance)],
            Port = 0,
        }, TestContext.Current.CancellationToken);

    protected override Task PassAsync(TimeSpan time) => Task.Delay(time, TestContext.Current.CancellationToken);
}
