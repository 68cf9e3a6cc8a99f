using Ferry.Kv.Records;
using Ferry.Serving.Exchange.Push;
using Ferry.Serving.Options;
using Ferry.TestKit.Exchange;
using Ferry.Transfer;
using Ferry.Transfer.InProcess;
using Ferry.Transfer.SideChannel;
using Xunit;

namespace Ferry.UnitTests.Serving.Exchange;

/// <summary>Pushes: bytes that are there before the reader asks, and everything that can go wrong on the way, which ends as a pull.</summary>
public sealed class KvExchangePushTests : KvExchangePushScene
{
    [Fact]
    public async Task Save_DecodeNodeNamed_ItsChunksAreThereBeforeTheReaderAsksAndNothingIsRead()
    {
        await using var decode = await PushingAsync("d");
        await using var prefill = await PushingAsync("p");
        var answer = prefill.Prefill("p", Prompt, PushTo("d"))!;
        await UntilPushedAsync(decode, 3);
        Network.Faults.Partition("p:5600", "d:5600"); // From here on nothing can be pulled.
        using var result = await decode.LoadAsync("d", Prompt, answer);

        Assert.Equal("push", (string?)answer["transfer_mode"]);
        Assert.Equal(PromptTokens, decode.CountRightTokens(result));
        var report = decode.Report("d");
        Assert.Equal(("peer", HandoverMode.Push, Ferry.Serving.KvChecksumState.Verified), (report.Source, report.Mode, report.Checksum));
        Assert.True(report.HandoverBytes > 0 && report.HandoverBytes == report.BytesMoved);
        Assert.Equal(("engine-p", HandoverMode.Push, 1L), (decode.Totals.Handovers[0].Peer, decode.Totals.Handovers[0].Mode, decode.Totals.Handovers[0].Count));
        await UntilAsync(() => decode.Totals.PushBytesHeld == 0);
        Network.Faults.Heal("p:5600", "d:5600");
    }

    [Fact]
    public async Task Save_DecodeNodeTakesNoPushes_IsPulled()
    {
        await using var decode = await StartAsync("d");
        await using var prefill = await PushingAsync("p");
        using var result = await PumpAsync(decode.LoadAsync("d", Prompt, prefill.Prefill("p", Prompt, PushTo("d"))));

        Assert.Equal(PromptTokens, decode.CountRightTokens(result));
        Assert.Equal(HandoverMode.Pull, decode.Report("d").Mode);
        Assert.Equal(0, prefill.Totals.BytesPushed);
    }

    [Fact]
    public async Task Save_ModeIsPull_TheNamedDecodeNodeIsNotDialled()
    {
        await using var decode = await PushingAsync("d");
        await using var prefill = await StartAsync("p");
        using var result = await decode.LoadAsync("d", Prompt, prefill.Prefill("p", Prompt, PushTo("d")));

        Assert.Equal((PromptTokens, HandoverMode.Pull), (decode.CountRightTokens(result), decode.Report("d").Mode));
        Assert.Empty(prefill.Totals.PeersByMedium);
    }

    [Theory]
    [InlineData("q", "engine-d")] // Nobody is there.
    [InlineData("d", "engine-x")] // Another engine is.
    public async Task Save_NamedDecodeNodeIsNotThere_IsPulled(string host, string engineId)
    {
        await using var decode = await PushingAsync("d");
        await using var prefill = await PushingAsync("p");
        var wish = PushTo(host);
        wish["ferry"]!["decode"]!["engine_id"] = engineId;
        using var result = await PumpAsync(decode.LoadAsync("d", Prompt, prefill.Prefill("p", Prompt, wish)));

        Assert.Equal((PromptTokens, HandoverMode.Pull), (decode.CountRightTokens(result), decode.Report("d").Mode));
        Assert.Equal(0, prefill.Totals.BytesPushed);
    }

    [Fact]
    public async Task Save_NoRoomAtTheDecodeNode_WhatDoesNotFitIsPulled()
    {
        await using var decode = await PushingAsync("d", options => options with { MemoryBytes = 400_000, PeerReadBytes = 1 });
        await using var prefill = await PushingAsync("p", options => options with { PeerReadBytes = 1 });
        int[] prompt = ExchangeNode.Prompt(2000);
        var answer = prefill.Prefill("p", prompt, PushTo("d"));
        await PumpUntilAsync(() => decode.Totals.PushesRefused > 0);
        Assert.InRange(decode.Totals.PushBytesHeld, 1, 200_000);
        using var result = await PumpAsync(decode.LoadAsync("d", prompt, answer));

        Assert.InRange(decode.CountRightTokens(result), 256, 1999);
        Assert.True(prefill.Totals.BytesPushed > 0);
    }

    [Fact]
    public async Task Written_OneBitOfTheLendersRecordFlipped_IsDamagedAndNotUsed()
    {
        await using var decode = await PushingAsync("d");
        await using var prefill = await PushingAsync("p");
        prefill.Prefill("a", Prompt); // In memory before it is pushed, so that a bit can flip.
        Flip(prefill, 1, KvRecord.HeaderBytes + 77);
        var answer = prefill.Prefill("p", Prompt, PushTo("d"));
        using var result = await PumpAsync(decode.LoadAsync("d", Prompt, answer));

        Assert.True(decode.CountRightTokens(result) is 256, "Only what lies before the damage may be used.");
        Assert.True(decode.Totals.ChecksumFailures > 0);
    }

    [Fact]
    public async Task Load_WriterDiesBetweenPrepareAndWrite_TheRoomComesBackAndTheReaderDoesNotWaitForItsLease()
    {
        await using var decode = await PushingAsync("d", options => options with { LoadDeadline = TimeSpan.FromHours(1) });
        await using var prefill = await StartAsync("p");
        var answer = prefill.Prefill("p", Prompt, ExchangeNode.AskToLend())!;
        var writer = await WriterAsync("p2", decode);
        var prepared = await writer.Peer.PrepareAsync(Request("p", 0, 1, 2), CancellationToken.None);
        Assert.Equal(3, prepared.Reply!.Places.Count);
        Assert.True(decode.Totals.PushBytesHeld > 0);
        var load = decode.LoadAsync("d", Prompt, answer);
        await writer.DisposeAsync();
        using var result = await PumpAsync(load);

        Assert.Equal((PromptTokens, HandoverMode.Pull), (decode.CountRightTokens(result), decode.Report("d").Mode));
        Assert.Equal(0, decode.Totals.PushBytesHeld);
    }

    [Fact]
    public async Task Load_WriterStandsStill_TheLeaseRunsOutAndTheReaderPulls()
    {
        await using var decode = await PushingAsync("d");
        await using var prefill = await StartAsync("p");
        var answer = prefill.Prefill("p", Prompt, ExchangeNode.AskToLend())!;
        await using var writer = await WriterAsync("p2", decode);
        var prepared = await writer.Peer.PrepareAsync(Request("p", 0), CancellationToken.None);
        using var result = await PumpAsync(decode.LoadAsync("d", Prompt, answer));

        Assert.Equal(PromptTokens, decode.CountRightTokens(result));
        Assert.Equal(0, decode.Totals.PushBytesHeld);
        var late = await writer.Peer.NotifyAsync(PushNotice.EncodeWritten(prepared.Reply!.LeaseId), CancellationToken.None);
        Assert.Equal(TransferError.Refused, late.Error);
    }

    [Fact]
    public async Task Written_UnknownLease_IsRefused()
    {
        await using var decode = await PushingAsync("d");
        await using var writer = await WriterAsync("p", decode);

        Assert.Equal(TransferError.Refused, (await writer.Peer.NotifyAsync(PushNotice.EncodeWritten(42), CancellationToken.None)).Error);
        Assert.Equal(TransferError.Refused, (await writer.Peer.NotifyAsync(new byte[] { 2, 1, 0, 0 }, CancellationToken.None)).Error);
    }

    [Fact]
    public async Task Written_LeaseOfAnotherWriter_IsRefusedAndStaysTheOthers()
    {
        await using var decode = await PushingAsync("d");
        await using var writer = await WriterAsync("p", decode);
        await using var thief = await WriterAsync("q", decode);
        var prepared = await writer.Peer.PrepareAsync(Request("r", 0), CancellationToken.None);

        Assert.Equal(TransferError.Refused, (await thief.Peer.NotifyAsync(PushNotice.EncodeWritten(prepared.Reply!.LeaseId), CancellationToken.None)).Error);
        Assert.True(decode.Totals.PushBytesHeld > 0);
    }

    [Fact]
    public async Task Written_NothingWasWritten_IsNoRecordAndNotUsed()
    {
        await using var decode = await PushingAsync("d");
        await using var writer = await WriterAsync("p", decode);
        var prepared = await writer.Peer.PrepareAsync(Request("r", 0), CancellationToken.None);

        Assert.True((await writer.Peer.NotifyAsync(PushNotice.EncodeWritten(prepared.Reply!.LeaseId), CancellationToken.None)).IsSuccess);
        Assert.Equal((1L, 0L), (decode.Totals.ChecksumFailures, decode.Totals.PushBytesHeld));
        Assert.False(decode.Exchange.Cache.Memory.Contains(KeyOf(0)));
    }

    [Fact]
    public async Task Prepare_FinishedRequest_IsRefused()
    {
        await using var decode = await PushingAsync("d");
        await using var prefill = await PushingAsync("p");
        using var result = await PumpAsync(decode.LoadAsync("d", Prompt, prefill.Prefill("p", Prompt, PushTo("d"))));
        decode.Exchange.Cache.Memory.Clear();
        var connected = await prefill.Agent!.ConnectAsync("d:5600", CancellationToken.None);
        await using var peer = connected.Peer!;

        Assert.Equal(TransferError.NotFound, (await peer.PrepareAsync(Request("p", 0), CancellationToken.None)).Outcome.Error);
        Assert.Equal(0, decode.Totals.PushBytesHeld);
    }

    [Fact]
    public async Task Prepare_ChunkThatIsHereOrOnItsWay_GetsNoPlace()
    {
        await using var decode = await PushingAsync("d");
        await using var writer = await WriterAsync("p", decode);
        await using var other = await WriterAsync("q", decode);
        decode.Prefill("own", Prompt[..256]);

        var first = await writer.Peer.PrepareAsync(Request("r", 0, 1), CancellationToken.None);
        Assert.Equal([1], first.Reply!.Places.Select(place => place.ChunkIndex));
        Assert.Equal(TransferError.NotFound, (await other.Peer.PrepareAsync(Request("r", 1), CancellationToken.None)).Outcome.Error);
    }

    [Theory]
    [InlineData(KvRecord.HeaderBytes)]
    [InlineData(long.MaxValue)]
    public async Task Prepare_RecordOfImpossibleLength_IsRefused(long bytes)
    {
        await using var decode = await PushingAsync("d");
        await using var writer = await WriterAsync("p", decode);
        var request = Request("r", 0) with { Pieces = [new PreparedPiece(KeyOf(0).Hash, 0, bytes)] };

        Assert.Equal(TransferError.TooManyBytes, (await writer.Peer.PrepareAsync(request, CancellationToken.None)).Outcome.Error);
    }

    [Fact]
    public async Task Prepare_OtherModelOrNoRequest_IsRefused()
    {
        await using var decode = await PushingAsync("d");
        await using var writer = await WriterAsync("p", decode);

        Assert.Equal(TransferError.Refused, (await writer.Peer.PrepareAsync(Request("r", 0) with { Model = 7 }, CancellationToken.None)).Outcome.Error);
        Assert.Equal(TransferError.Refused, (await writer.Peer.PrepareAsync(Request("", 0), CancellationToken.None)).Outcome.Error);
    }

    [Fact]
    public async Task Sweep_NobodyComesForWhatWasPushed_ItIsHeldNoLongerThanALease()
    {
        await using var decode = await PushingAsync("d");
        await using var prefill = await PushingAsync("p");
        prefill.Prefill("p", Prompt, PushTo("d"));
        await UntilPushedAsync(decode, 3);
        Assert.True(decode.Totals.PushBytesHeld > 0);
        Time.Advance(TimeSpan.FromSeconds(32));
        await PumpUntilAsync(() => decode.Totals.PushBytesHeld == 0);

        Assert.Equal(0, decode.Exchange.Cache.Memory.Snapshot().Leases);
        Assert.True(decode.Exchange.Cache.Memory.Contains(KeyOf(0))); // Anybody's cache from now on.
    }

    [Fact]
    public async Task Load_MemoryKeepsNothing_WhatWasPushedForTheRequestIsUsed()
    {
        await using var decode = await PushingAsync("d", options => options with { KeepInMemory = false });
        await using var prefill = await PushingAsync("p");
        var answer = prefill.Prefill("p", Prompt, PushTo("d"));
        await UntilPushedAsync(decode, 3);
        Network.Faults.Partition("p:5600", "d:5600");
        using var result = await PumpAsync(decode.LoadAsync("d", Prompt, answer));

        Assert.Equal((PromptTokens, HandoverMode.Push), (decode.CountRightTokens(result), decode.Report("d").Mode));
        Network.Faults.Heal("p:5600", "d:5600");
    }

    [Fact]
    public async Task Push_ManySeedsOfABadNetwork_NeverBringsAWrongByteNorHangsNorLeaks()
    {
        for (var seed = 0; seed < 25; seed++)
        {
            var faults = new FaultPlan(seed, FaultRates.None);
            var network = new InProcessNetwork(Time, faults);
            await using var decode = await ExchangeNode.StartAsync("d", Ferry.Engine.DeviceProfile.Gaudi3, 2, network, Time, options => options with { Handover = HandoverMode.Push });
            await using var prefill = await ExchangeNode.StartAsync("p", Ferry.Engine.DeviceProfile.Mi300x, 4, network, Time, options => options with { Handover = HandoverMode.Push, PeerReadBytes = 20_000 });
            faults.Rates = new FaultRates { Corrupt = 0.1, Drop = 0.03, Duplicate = 0.1, Delay = 0.3, DelayMax = TimeSpan.FromSeconds(2) };
            using var result = await PumpAsync(decode.LoadAsync("d", Prompt, prefill.Prefill("p", Prompt, PushTo("d"))));
            faults.Rates = FaultRates.None;

            Assert.True(decode.CountRightTokens(result) >= 0, $"seed {seed}: wrong bytes");
            Assert.True(result.Chunks.Sum(chunk => chunk.TokenCount) == PromptTokens || decode.Report("d").Reason is not null, $"seed {seed}: silent");
        }
    }
}
