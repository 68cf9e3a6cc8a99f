using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Ferry.Cache;
using Ferry.Cache.Remote.Peers;
using Ferry.Cache.Remote.Resp;
using Ferry.Cache.Tiers;
using Ferry.Cache.Tiers.Disk;
using Ferry.IntegrationTests.Fronts;
using Ferry.Kv.Layout;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Contracts;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.IntegrationTests.Remote.Peers;

/// <summary>The contract of tiers over a real front, puts and deletes done by the owner; and what a peer tells and what it keeps to itself.</summary>
public sealed class PeerTierTests : KvTierContract, IAsyncLifetime
{
    private PeerOwner _owner = null!;

    public async ValueTask InitializeAsync() => _owner = await PeerOwner.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _owner.IsQuietAsync();
        await _owner.DisposeAsync();
    }

    protected override IKvTier Open() => new PutAtTheOwner(_owner.Tier(), _owner.Cache.Memory);

    protected override void Damage(IKvTier tier, int byteIndex) => _owner.Damage(byteIndex);

    [Fact]
    public async Task Owner_WithADisk_TellsAndGivesWhatItsMemoryNoLongerHas()
    {
        var directory = Directory.CreateTempSubdirectory("ferry-peer-").FullName;
        var disk = await DiskTier.OpenAsync(new DiskTierOptions { Path = directory, CapacityBytes = 64 << 20 }, TimeProvider.System, NullLogger<DiskTier>.Instance, CancellationToken.None);
        await using (var owner = await PeerOwner.StartAsync([disk]))
        {
            foreach (var layout in (KvLayout[])[Layout.ForRank(1, 2), KvLayout.Opaque(5000)])
            {
                await PutAsync(disk, 1, layout);
            }
            await using var tier = owner.Tier();
            var found = await tier.FindAsync(TestRecords.Key(1), CancellationToken.None);
            Assert.Equal(2, found.Count);
            foreach (var record in found)
            {
                var (read, bytes) = await ReadAsync(tier, record);
                Assert.Equal(TierReadOutcome.Read, read.Outcome);
                Assert.Equal(TestRecords.Record(1, read.Header!.Layout).Record, bytes);
            }
            // In memory now, and on the disk still: named once.
            Assert.Equal(2, (await tier.FindAsync(TestRecords.Key(1), CancellationToken.None)).Count);
        }
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task Owner_WithPeersAndASharedTier_AsksNeitherForAPeer()
    {
        var shared = new FaultyTier("shared") { Capabilities = TierCapabilities.Read | TierCapabilities.Put | TierCapabilities.Shared };
        await PutAsync(shared, 1, Layout);
        _owner.Cache.Memory.Put(2, Layout)!.Dispose();
        await using var middle = await PeerOwner.StartAsync([_owner.Tier(), shared]);
        await using var tier = middle.Tier();
        Assert.All(await tier.FindManyAsync([TestRecords.Key(1), TestRecords.Key(2)], CancellationToken.None), Assert.Empty);
        await using var straight = _owner.Tier();
        var elsewhere = Assert.Single(await straight.FindAsync(TestRecords.Key(2), CancellationToken.None));
        Assert.Equal(TierReadOutcome.Missing, (await ReadAsync(tier, elsewhere)).Read.Outcome);
        Assert.Equal((0, 0L, 0L), (shared.Finds, shared.Counts.Reads, middle.Cache.SnapshotTiers()[0].Counts.Misses));

        // Its own clients do get both.
        using var first = await middle.Cache.TryGetAsync(TestRecords.Key(1), TestRecords.Whole(), CancellationToken.None);
        using var second = await middle.Cache.TryGetAsync(TestRecords.Key(2), TestRecords.Whole(), CancellationToken.None);
        Assert.Equal(("faulty", "peer"), (first!.Tier!.Kind, second!.Tier!.Kind));
    }

    [Fact]
    public async Task TwoExchanges_EachTheOthersPeer_AskedForWhatNeitherHas_EndAtOnce()
    {
        // The second learns the first's port by a relay that is told it afterwards.
        await using var link = new TestKit.Lab.FaultyLink(_owner.Port);
        await using var other = await PeerOwner.StartAsync([PeerOwner.TierAt(link.Port)]);
        await using var circle = new RecordCache(TestRecords.Store(8 << 20), [other.Tier(), _owner.Tier()], new RecordCacheOptions(), TimeProvider.System, NullLoggerFactory.Instance);
        Assert.Null(await circle.TryGetAsync(TestRecords.Key(1), TestRecords.Whole(), CancellationToken.None));
        Assert.Equal(0, link.Lines); // Asked as a peer, the other asked nobody.
        Assert.Null(await other.Cache.TryGetAsync(TestRecords.Key(1), TestRecords.Whole(), CancellationToken.None));
        Assert.Equal(1, link.Lines);
    }

    [Fact]
    public async Task FindAsync_OfItself_IsEmptyAndAsksNothing()
    {
        _owner.Cache.Memory.Put(1, Layout)!.Dispose();
        await using var tier = _owner.Tier(ownId: _owner.Id);
        Assert.Empty(await tier.FindAsync(TestRecords.Key(1), CancellationToken.None));
        Assert.Empty(await tier.FindAsync(TestRecords.Key(1), CancellationToken.None));
        Assert.Equal(0, _owner.Cache.Memory.Snapshot().Hits);
    }

    [Fact]
    public async Task FindManyAsync_MoreThanOneQuestionTakes_AnswersAll()
    {
        const int last = PeerWire.KeysMax + 100;
        _owner.Cache.Memory.Put(last, Layout)!.Dispose();
        await using var tier = _owner.Tier();
        var found = await tier.FindManyAsync([.. Enumerable.Range(1, last).Select(number => TestRecords.Key(number))], CancellationToken.None);
        Assert.Equal(last, found.Count);
        Assert.Single(found[^1]);
    }

    [Fact]
    public async Task LoadAsync_AChain_AsksThePeerOnceAndPromotesIntoMemory()
    {
        var keys = Enumerable.Range(1, 8).Select(number => TestRecords.Key(number)).ToArray();
        foreach (var number in Enumerable.Range(1, 8))
        {
            _owner.Cache.Memory.Put(number, Layout)!.Dispose();
        }
        await using var asking = new RecordCache(TestRecords.Store(8 << 20), [_owner.Tier()], new RecordCacheOptions(), TimeProvider.System, NullLoggerFactory.Instance);
        var hits = await asking.LoadAsync(await asking.LookUpAsync(keys, _ => TestRecords.Whole(), CancellationToken.None), all: true, CancellationToken.None);
        Assert.Equal(8, hits.Count);
        for (var index = 0; index < hits.Count; index++)
        {
            using var hit = hits[index];
            Assert.Equal(TestRecords.Payload(Layout, index + 1), hit.Chunk.Shards[0].Payload.ToArray());
        }
        Assert.Equal((8L, 0L), (asking.SnapshotTiers()[0].Counts.Reads, asking.SnapshotTiers()[0].Counts.Misses));
        Assert.True(asking.Memory.Contains(keys[7]));
    }

    [Fact]
    public async Task Tier_NothingButReading_IsRefused()
    {
        await using var tier = _owner.Tier();
        var (header, record) = TestRecords.Record(1, Layout);
        Assert.Equal(TierCapabilities.Read | TierCapabilities.OfPeer, tier.Capabilities);
        await Assert.ThrowsAsync<NotSupportedException>(() => tier.PutAsync(header, record, CancellationToken.None));
        await Assert.ThrowsAsync<NotSupportedException>(() => tier.DeleteAsync(header.Key, CancellationToken.None));
        await Assert.ThrowsAsync<NotSupportedException>(() => tier.MeasureAsync(CancellationToken.None));
        Assert.Throws<NotSupportedException>(() => tier.ListAsync(CancellationToken.None));
    }

    [Theory]
    [InlineData("sesame-sesame", true)]
    [InlineData("another-word", false)]
    [InlineData(null, false)]
    public async Task Owner_WithAPassword_AnswersOnlyWhoHasIt(string? password, bool isAnswered)
    {
        await using var owner = await PeerOwner.StartAsync(options: new RespFrontOptions { Port = 0, Password = "sesame-sesame" });
        owner.Cache.Memory.Put(1, Layout)!.Dispose();
        await using var tier = owner.Tier(new PeerTierOptions { Host = "127.0.0.1", Port = 1, Password = password, AnswerTimeout = TimeSpan.FromSeconds(30) });
        if (isAnswered)
        {
            Assert.Single(await tier.FindAsync(TestRecords.Key(1), CancellationToken.None));
            return;
        }
        var refusal = await Assert.ThrowsAsync<PeerException>(() => tier.FindAsync(TestRecords.Key(1), CancellationToken.None));
        Assert.Contains(password is null ? "NOAUTH" : "WRONGPASS", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(password ?? "sesame", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Owner_OverTls_IsReadByWhoKnowsItsAuthority()
    {
        var directory = Directory.CreateTempSubdirectory("ferry-peer-tls-").FullName;
        var (certificate, key) = (Path.Combine(directory, "cert.pem"), Path.Combine(directory, "key.pem"));
        WriteCertificate(certificate, key);
        await using (var owner = await PeerOwner.StartAsync(options: new RespFrontOptions { Port = 0, TlsCertificatePath = certificate, TlsKeyPath = key }))
        {
            owner.Cache.Memory.Put(1, Layout)!.Dispose();
            await using var tier = owner.Tier(new PeerTierOptions { Host = "localhost", Port = 1, AnswerTimeout = TimeSpan.FromSeconds(30), AuthorityFile = certificate });
            var (read, bytes) = await ReadAsync(tier, Assert.Single(await tier.FindAsync(TestRecords.Key(1), CancellationToken.None)));
            Assert.Equal((TierReadOutcome.Read, true), (read.Outcome, TestRecords.Record(1, Layout).Record.AsSpan().SequenceEqual(bytes)));
            WriteCertificate(Path.Combine(directory, "other.pem"), Path.Combine(directory, "other.key"));
            await using var stranger = owner.Tier(new PeerTierOptions { Host = "localhost", Port = 1, AnswerTimeout = TimeSpan.FromSeconds(30), AuthorityFile = Path.Combine(directory, "other.pem") });
            await Assert.ThrowsAsync<PeerException>(() => stranger.FindAsync(TestRecords.Key(1), CancellationToken.None));
        }
        Directory.Delete(directory, recursive: true);
    }

    /// <summary>docs/wire/peers.md</summary>
    [Fact]
    public async Task Wire_EachCommand_GoldenBytes()
    {
        _owner.Cache.Memory.Put(7, Layout)!.Dispose();
        var key = PeerWire.OfKey(TestRecords.Key(7));
        const string name = "0-4-4-2da4fa4caf6f8583.kv";
        using var client = new RawClient(_owner.Front.Endpoint);
        await client.ExchangeAsync(RespText.Of("FERRY.PEER", "1"), $"*2\r\n:1\r\n$32\r\n{_owner.Id}\r\n");
        await client.ExchangeAsync(RespText.Of("FERRY.PEER", "2"), "-ERR this exchange speaks version 1 to its peers\r\n");
        await client.ExchangeAsync(RespText.Of("FERRY.FIND", PeerWire.OfKey(TestRecords.Key(8)), key), $"*2\r\n$0\r\n\r\n$30\r\n{name} 9216\r\n");
        await client.ExchangeAsync(RespText.Of("FERRY.READ", key, name), $"$9216\r\n{Encoding.Latin1.GetString(TestRecords.Record(7, Layout).Record)}\r\n");
        await client.ExchangeAsync(RespText.Of("FERRY.READ", key, name.Replace("0-4-4", "1-4-4", StringComparison.Ordinal)), "-ERR a record is MODEL:HASH:SALT and FIRST-HEADS-OF-FAMILY.kv\r\n");
        await client.ExchangeAsync(RespText.Of("FERRY.READ", key, name.Replace("2da4", "0000", StringComparison.Ordinal)), "$-1\r\n");
        await client.ExchangeAsync(RespText.Of("FERRY.PROVE", key, name), ":1\r\n");
        _owner.Damage(2000);
        await client.ExchangeAsync(RespText.Of("FERRY.PROVE", key, name), ":0\r\n");
        await client.ExchangeAsync(RespText.Of("FERRY.READ", key, name), "$-1\r\n");
        await client.ExchangeAsync(RespText.Of("FERRY.FIND", "x"), "-ERR a key is MODEL:HASH:SALT, the first two in hex\r\n");
    }

    [Fact]
    public async Task Front_WithoutADesk_RefusesPeers()
    {
        await using var host = await FrontHost.StartAsync();
        using var client = host.ConnectResp();
        await client.ExchangeAsync(RespText.Of("FERRY.PEER", "1"), "-ERR this front answers no peers\r\n");
    }

    private static void WriteCertificate(string certificateFile, string keyFile)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
    }
}
