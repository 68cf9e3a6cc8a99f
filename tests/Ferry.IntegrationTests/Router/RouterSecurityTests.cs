using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Ferry.TestKit.Router;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Ferry.IntegrationTests.Router;

/// <summary>What clients may not do, and who is believed.</summary>
public sealed class RouterSecurityTests
{
    private const string Completion = """{"model":"stub","prompt":"Hello world","max_tokens":4}""";

    [Theory]
    [InlineData("""{"prompt":"x","kv_transfer_params":{"do_remote_prefill":true,"remote_host":"169.254.169.254"}}""")]
    [InlineData("""{"prompt":"x","kv_transfer_p\u0061rams":{"remote_host":"169.254.169.254"},"ec_transfer_params":{"remote_host":"169.254.169.254"}}""")]
    [InlineData("""{"prompt":"x","vllm_xargs":{"kv_transfer_params":["169.254.169.254"],"kept":1}}""")]
    [InlineData("""{"prompt":"x","use_beam_search":true,"kv_transfer_params":{"remote_host":"169.254.169.254"}}""")]
    public async Task ClientsOwnParams_ReachNoNode(string body)
    {
        await using var router = await RouterFixture.StartAsync();
        await router.PostAsync("/v1/completions", body);
        await router.PostAsync("/tokenize", body);
        Assert.All(router.Prefill.Requests.Concat(router.Decode.Requests), leg => Assert.DoesNotContain("169.254", leg.Body.ToJsonString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Headers_OnlyThoseOnTheListPass()
    {
        await using var router = await RouterFixture.StartAsync();
        await router.PostAsync(
            "/v1/completions", Completion, ("x-prefiller-host-port", "evil:1"), ("x-ferry-kv-tokens", "9"), ("Cookie", "a=b"), ("X-Forwarded-For", "1.2.3.4"), ("X-data-parallel-rank", "1"), ("tracestate", "a=1"));
        foreach (var leg in router.Prefill.Requests.Concat(router.Decode.Requests))
        {
            Assert.Equal(["content-length", "content-type", "host", "tracestate", "x-data-parallel-rank", "x-request-id"], leg.Headers.Keys.Select(name => name.ToLowerInvariant()).Order());
        }
    }

    [Fact]
    public async Task PrefillerHeader_FromATrustedPeer_ChoosesTheNodeAndGoesNoFurther()
    {
        await using var other = await FakeVllm.StartAsync();
        await using var router = await RouterFixture.StartAsync(options => options with
        {
            Prefill = [options.Prefill[0], other.Address],
            Forwarding = options.Forwarding with { PrefillerHeaderPeers = [IPNetwork.Parse("127.0.0.0/8")] },
        });
        for (var count = 0; count < 3; count++)
        {
            await router.PostAsync("/v1/completions", Completion, ("x-prefiller-host-port", $"10.9.9.9:1, {other.Address.Authority}"));
        }
        Assert.Equal((0, 3), (router.Prefill.Requests.Count, other.Requests.Count));
        Assert.All(other.Requests, leg => Assert.False(leg.Headers.ContainsKey("x-prefiller-host-port")));
        var (refused, _) = await router.PostAsync("/v1/completions", Completion, ("x-prefiller-host-port", "169.254.169.254:80"));
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task PrefillerHeader_FromAnybodyElse_IsAsIfItWereNotThere()
    {
        await using var other = await FakeVllm.StartAsync();
        await using var router = await RouterFixture.StartAsync(options => options with
        {
            Prefill = [options.Prefill[0], other.Address],
            Forwarding = options.Forwarding with { PrefillerHeaderPeers = [IPNetwork.Parse("10.0.0.0/8")] },
        });
        for (var count = 0; count < 4; count++)
        {
            await router.PostAsync("/v1/completions", Completion, ("x-prefiller-host-port", other.Address.Authority));
        }
        Assert.Equal((2, 2), (router.Prefill.Requests.Count, other.Requests.Count));
    }

    [Fact]
    public async Task Answer_KeepsTheClustersOwnThingsIn()
    {
        await using var router = await RouterFixture.StartAsync();
        router.Decode.Headers["Server"] = "uvicorn";
        router.Decode.Headers["X-Internal-Host"] = "10.0.0.7";
        var (response, _) = await router.PostAsync("/v1/completions", Completion);
        Assert.False(response.Headers.Contains("X-Internal-Host"));
        Assert.False(response.Headers.Contains("Server"));
    }

    [Fact]
    public async Task CrossOrigin_IsOff()
    {
        await using var router = await RouterFixture.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Options, "/v1/completions");
        request.Headers.Add("Origin", "https://evil.example");
        request.Headers.Add("Access-Control-Request-Method", "POST");
        using var response = await router.Http.SendAsync(request);
        Assert.False(response.IsSuccessStatusCode);
        var (answer, _) = await router.PostAsync("/v1/completions", Completion, ("Origin", "https://evil.example"));
        Assert.DoesNotContain(response.Headers.Concat(answer.Headers), header => header.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Tls_BothSides_ClientsSeeTheRoutersCertificateAndNodesItsOwn()
    {
        var directory = Directory.CreateTempSubdirectory("ferry-tls-").FullName;
        try
        {
            using var authority = Authority();
            var (router, node, client) = (Issue(authority, "router", directory), Issue(authority, "node", directory), Issue(authority, "client-of-nodes", directory));
            File.WriteAllText(Path.Combine(directory, "ca.pem"), authority.ExportCertificatePem());
            var seen = "";
            await using var pod = await FakeVllm.StartAsync(listen => listen.UseHttps(https =>
            {
                https.ServerCertificate = X509Certificate2.CreateFromPemFile(node.Certificate, node.Key);
                https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                https.ClientCertificateValidation = (certificate, _, _) => (seen = certificate.Subject) == "CN=client-of-nodes";
            }));
            await using var fixture = await RouterFixture.StartAsync(options => options with
            {
                Prefill = [pod.Address],
                Decode = [pod.Address],
                Forwarding = options.Forwarding with
                {
                    Tls = new() { CertificateFile = router.Certificate, KeyFile = router.Key, NodeCertificateFile = client.Certificate, NodeKeyFile = client.Key, NodeAuthorityFile = Path.Combine(directory, "ca.pem") },
                },
            });
            using var trusting = new SocketsHttpHandler { SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Trust(authority) } };
            using var http = new HttpClient(trusting);
            var url = new Uri($"https://localhost:{fixture.Address.Port}/v1/completions");
            using var response = await http.PostAsync(url, new StringContent(Completion, Encoding.UTF8, "application/json"));
            Assert.Equal((HttpStatusCode.OK, "CN=client-of-nodes", 2), (response.StatusCode, seen, pod.Requests.Count));
            Assert.Equal("handed-over", RouterFixture.Kv(response));
            using var plain = new HttpClient();
            await Assert.ThrowsAsync<HttpRequestException>(() => plain.GetAsync(new Uri($"https://localhost:{fixture.Address.Port}/health")));   // nobody's authority but ours
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task Tls_NodeOfAnotherAuthority_IsNotSpokenTo()
    {
        var directory = Directory.CreateTempSubdirectory("ferry-tls-").FullName;
        try
        {
            using var authority = Authority();
            using var other = Authority();
            var node = Issue(other, "node", directory);
            File.WriteAllText(Path.Combine(directory, "ca.pem"), authority.ExportCertificatePem());
            await using var pod = await FakeVllm.StartAsync(listen => listen.UseHttps(X509Certificate2.CreateFromPemFile(node.Certificate, node.Key)));
            await using var fixture = await RouterFixture.StartAsync(options => options with
            {
                Prefill = [pod.Address],
                Decode = [pod.Address],
                Forwarding = options.Forwarding with { Tls = new() { NodeAuthorityFile = Path.Combine(directory, "ca.pem") } },
            });
            var (response, _) = await fixture.PostAsync("/v1/completions", Completion);
            Assert.Equal((HttpStatusCode.BadGateway, 0), (response.StatusCode, pod.Requests.Count));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static X509Certificate2 Authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=ferry test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddHours(1));
    }

    private static (string Certificate, string Key) Issue(X509Certificate2 authority, string name, string directory)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, DateTimeOffset.UtcNow.AddMinutes(-4), DateTimeOffset.UtcNow.AddMinutes(50), Guid.NewGuid().ToByteArray());
        var (certificateFile, keyFile) = (Path.Combine(directory, name + ".pem"), Path.Combine(directory, name + ".key"));
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        return (certificateFile, keyFile);
    }

    private static X509ChainPolicy Trust(X509Certificate2 authority)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(authority);
        return policy;
    }
}
