using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Ferry.TestKit.Contracts;
using Ferry.Transfer;
using Ferry.Transfer.Tcp;
using Ferry.Transfer.Tls;

namespace Ferry.IntegrationTests.Transfer;

/// <summary>The contract where every connection is mutual TLS 1.3, and what becomes of those that have no certificate or another authority's.</summary>
public sealed class TlsAgentTests : TransferProofContract
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ferry-transfer-tls-").FullName;
    private readonly TlsFiles _files;

    public TlsAgentTests() => _files = MakeFiles("fleet");

    protected override TimeProvider Clock => TimeProvider.System;

    // Encrypting costs far more than moving; the size itself is proved without it.
    protected override long LargeBytes => 256 << 20;

    protected override Task<ITransferAgent> StartAsync(TransferAgentOptions options, string? endpoint) => StartAsync(options, endpoint, _files);

    protected override Task PassAsync(TimeSpan time) => Task.Delay(time, TestContext.Current.CancellationToken);

    [Fact]
    public async Task Connect_WithoutTlsOrWithAnotherAuthority_IsRefusedWithWords()
    {
        var guarded = await StartAsync("guarded");
        await using var plain = await StartAsync(new TransferAgentOptions { EngineId = "plain" }, null, null);
        await using var stranger = await StartAsync(new TransferAgentOptions { EngineId = "stranger" }, null, MakeFiles("another"));

        var withoutTls = (await plain.ConnectAsync(guarded.Endpoint, Token)).Outcome;
        Assert.Equal((TransferPhase.Handshake, TransferError.AuthenticationFailed), (withoutTls.Phase, withoutTls.Error));
        Assert.Contains("TLS", withoutTls.Message, StringComparison.Ordinal);
        var otherAuthority = (await stranger.ConnectAsync(guarded.Endpoint, Token)).Outcome;
        Assert.False(otherAuthority.IsSuccess);
        var toPlain = (await guarded.ConnectAsync(plain.Endpoint, Token)).Outcome;
        Assert.Equal((TransferPhase.Handshake, TransferError.AuthenticationFailed), (toPlain.Phase, toPlain.Error));
        Assert.Contains("both nodes", toPlain.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_WithFilesThatAreNotThere_SaysWhich()
    {
        var wrong = await Assert.ThrowsAsync<TransferConfigurationException>(
            () => StartAsync(new TransferAgentOptions { EngineId = "x" }, null, _files with { KeyPath = "/nowhere/key.pem" }));
        Assert.Contains("/nowhere/key.pem", wrong.Message, StringComparison.Ordinal);
    }

    private static async Task<ITransferAgent> StartAsync(TransferAgentOptions options, string? endpoint, TlsFiles? files) =>
        await TcpTransferAgent.StartAsync(new TcpAgentOptions
        {
            EngineId = options.EngineId,
            Handler = options.Handler,
            Transfers = options.Transfers,
            Kv = options.Kv,
            Clock = options.Clock,
            Tls = files,
            Port = endpoint is null ? 0 : TcpEndpoint.TryParse(endpoint)!.Port,
        }, TestContext.Current.CancellationToken);

    private TlsFiles MakeFiles(string name)
    {
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var asked = new CertificateRequest($"CN={name} authority", authorityKey, HashAlgorithmName.SHA256);
        asked.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var (from, to) = (DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var authority = asked.CreateSelfSigned(from, to);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest($"CN={name} node", key, HashAlgorithmName.SHA256).Create(authority, from, to, [1, 2, 3, 4]);
        var files = new TlsFiles(Path.Combine(_folder, name + ".crt"), Path.Combine(_folder, name + ".key"), Path.Combine(_folder, name + ".ca"));
        File.WriteAllText(files.CertificatePath, certificate.ExportCertificatePem());
        File.WriteAllText(files.KeyPath, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(files.AuthorityPath, authority.ExportCertificatePem());
        return files;
    }
}
