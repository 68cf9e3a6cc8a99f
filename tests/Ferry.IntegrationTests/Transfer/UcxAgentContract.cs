using Ferry.TestKit.Contracts;
using Ferry.Transfer;
using Ferry.Transfer.Tcp;
using Ferry.Transfer.Ucx;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.IntegrationTests.Transfer;

/// <summary>The contract with UCX as the medium: two workers of this machine's own UCX.</summary>
public abstract class UcxAgentContract : TransferProofContract
{
    /// <summary>UCX_TLS.</summary>
    protected abstract string Transports { get; }

    protected override TimeProvider Clock => TimeProvider.System;

    protected override async Task<ITransferAgent> StartAsync(TransferAgentOptions options, string? endpoint) =>
        await TcpTransferAgent.StartAsync(new TcpAgentOptions
        {
            EngineId = options.EngineId,
            Handler = options.Handler,
            Transfers = options.Transfers,
            Kv = options.Kv,
            Clock = options.Clock,
            Media = [await UcxMedium.StartAsync(new UcxOptions { Transports = Transports }, NullLogger.Instance)],
            Port = endpoint is null ? 0 : TcpEndpoint.TryParse(endpoint)!.Port,
        }, TestContext.Current.CancellationToken);

    protected override Task PassAsync(TimeSpan time) => Task.Delay(time, TestContext.Current.CancellationToken);

    [Fact]
    public async Task Medium_OfThePeer_IsUcxAndNamesItsTransports()
    {
        var (_, _, peer) = await ConnectAsync();
        Assert.Equal("ucx", peer.Medium.Name);
        Assert.Contains(ExpectedTransport, peer.Medium.Reason, StringComparison.Ordinal);
    }

    protected abstract string ExpectedTransport { get; }
}
