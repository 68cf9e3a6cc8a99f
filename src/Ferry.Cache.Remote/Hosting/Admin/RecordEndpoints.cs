using System.Globalization;
using System.Text.Json.Nodes;
using Ferry.Cache.Records;
using Ferry.Cache.Remote.Hosting.Operations;
using Ferry.Kv.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Ferry.Cache.Remote.Hosting.Admin;

/// <summary>The routes under /v1: what the commands of <c>ferry cache</c> ask for. Long ones answer in lines of JSON, the last of which says how it ended.</summary>
internal sealed class RecordEndpoints(ExchangeHost exchange, TimeProvider clock)
{
    private const int LinesBetweenProgress = 64;
    private const string OctetStream = "application/octet-stream";
    private static readonly TimeSpan PinMax = TimeSpan.FromDays(30);

    private RecordCache Cache => exchange.Cache;

    public void Map(WebApplication app)
    {
        app.MapGet("/v1/records", ListAsync);
        app.MapGet("/v1/stat", StatAsync);
        app.MapGet("/v1/value", GetAsync);
        app.MapPost("/v1/pin", PinAsync);
        app.MapPost("/v1/unpin", UnpinAsync);
        app.MapPost("/v1/clear", ClearAsync);
        app.MapPost("/v1/flush", FlushAsync);
        app.MapPost("/v1/move", MoveAsync);
        app.MapPost("/v1/verify", VerifyAsync);
        app.MapGet("/v1/export", ExportAsync);
        app.MapPost("/v1/import", ImportAsync);
    }

    private async Task ListAsync(HttpContext context)
    {
        var limit = Number(context, "limit", long.MaxValue);
        var (records, bytes, more) = (0L, 0L, false);
        await foreach (var row in new RecordListing(exchange, clock).ListAsync(Text(context, "tier", Places.Memory), Text(context, "prefix", ""), context.RequestAborted))
        {
            if (records == limit)
            {
                more = true;
                break;
            }
            records++;
            bytes += row["bytes"]!.GetValue<long>();
            await AdminJson.WriteLineAsync(context, row, flushes: records % LinesBetweenProgress == 0);
        }
        await AdminJson.WriteLineAsync(context, new JsonObject { ["done"] = true, ["records"] = records, ["bytes"] = bytes, ["more"] = more });
    }

    private async Task StatAsync(HttpContext context) =>
        await AdminJson.WriteAsync(context, await new RecordListing(exchange, clock).StatAsync(Key(context), context.RequestAborted));

    private async Task GetAsync(HttpContext context)
    {
        var key = Key(context);
        using var value = await exchange.Store.TryGetAsync(key, context.RequestAborted)
            ?? throw new AdminException(StatusCodes.Status404NotFound, "nothing is there under that key, or nothing that this key's client could be given.");
        context.Response.ContentType = OctetStream;
        context.Response.ContentLength = value.Bytes.Length;
        context.Response.Headers["x-ferry-note"] = Convert.ToHexStringLower(value.Note.Span);
        await context.Response.Body.WriteAsync(value.Bytes, context.RequestAborted);
    }

    private async Task PinAsync(HttpContext context)
    {
        var key = Key(context);
        var kind = Text(context, "kind", "hard") switch
        {
            "hard" => PinKind.Hard,
            "soft" => PinKind.Soft,
            var other => throw new AdminException(400, $"kind is '{other}'; it must be hard (never evicted) or soft (evicted last)."),
        };
        var duration = TimeSpan.FromSeconds(Number(context, "ttl", 3600));
        if (duration <= TimeSpan.Zero || duration > PinMax)
        {
            throw new AdminException(400, $"ttl is {duration.TotalSeconds} seconds; it must lie in 1..{PinMax.TotalSeconds}.");
        }
        using var value = await exchange.Store.TryGetAsync(key, context.RequestAborted);   // brings it up into memory, where pins are
        var pinned = exchange.NamesOf(key).Count(name => Cache.Memory.KeyPins.TryPin(name, kind, duration));
        if (pinned == 0)
        {
            throw new AdminException(StatusCodes.Status404NotFound, "nothing is there under that key, or too many chunks are pinned.");
        }
        await AdminJson.WriteAsync(context, new JsonObject { ["pinned"] = pinned, ["kind"] = kind.ToString().ToLowerInvariant(), ["ttl_seconds"] = duration.TotalSeconds });
    }

    private Task UnpinAsync(HttpContext context) =>
        AdminJson.WriteAsync(context, new JsonObject { ["unpinned"] = exchange.NamesOf(Key(context)).Count(name => Cache.Memory.KeyPins.Unpin(name)) });

    private async Task ClearAsync(HttpContext context)
    {
        var place = Text(context, "tier", "all");
        var salt = context.Request.Query.TryGetValue("salt", out var given) ? given.ToString() : null;
        var keepPinned = Text(context, "keep-pinned", "false") == "true";
        var removed = new JsonObject();
        if (place is "all" or Places.Memory)
        {
            removed[Places.Memory] = Cache.Memory.Clear(salt, keepPinned);
        }
        foreach (var tier in place switch { "all" => Cache.Tiers, Places.Memory => [], _ => [Places.Find(Cache, place)] })
        {
            removed[tier.Kind] = await tier.ClearAsync(salt, context.RequestAborted);
        }
        await AdminJson.WriteAsync(context, new JsonObject { ["removed"] = removed });
    }

    /// <summary>Answers when what was queued before is written or was given up; who does not wait so long ends the request.</summary>
    private async Task FlushAsync(HttpContext context)
    {
        await Cache.FlushAsync(context.RequestAborted);
        var tiers = new JsonObject();
        foreach (var tier in Cache.SnapshotTiers())
        {
            tiers[tier.Kind] = new JsonObject { ["written"] = tier.Written, ["failed"] = tier.WriteFailed, ["dropped"] = tier.WriteDropped };
        }
        await AdminJson.WriteAsync(context, new JsonObject { ["tiers"] = tiers });
    }

    private async Task MoveAsync(HttpContext context)
    {
        var (from, to) = (Text(context, "from", ""), Text(context, "to", ""));
        if (from == to)
        {
            throw new AdminException(400, $"from and to are both '{from}'; name two of {string.Join(", ", Places.All(Cache))}.");
        }
        foreach (var place in (string[])[from, to])
        {
            Places.RequireKnown(Cache, place);
        }
        var total = from == Places.Memory ? Cache.Memory.Snapshot().Records : (long?)null;
        var mover = new RecordMover(Cache);
        var told = 0;
        await mover.MoveAsync(from, to, Text(context, "keep", "false") == "true", Text(context, "prefix", ""), TellAsync, context.RequestAborted);
        await AdminJson.WriteLineAsync(context, Row(true));

        async ValueTask TellAsync()
        {
            if (++told % LinesBetweenProgress == 0)
            {
                await AdminJson.WriteLineAsync(context, Row(false));
            }
        }

        JsonObject Row(bool done) => new()
        {
            ["done"] = done,
            ["records"] = mover.Moved,
            ["bytes"] = mover.Bytes,
            ["refused"] = mover.Refused,
            ["unreadable"] = mover.Unreadable,
            ["records_total"] = total,
        };
    }

    private async Task VerifyAsync(HttpContext context)
    {
        var tier = Places.Find(Cache, Text(context, "tier", Cache.Tiers.Count > 0 ? Cache.Tiers[0].Kind : Places.Memory));
        var verifier = exchange.VerifierOf(tier.Kind) ?? throw new AdminException(400, $"the tier {tier.Name} cannot be verified.");
        await VerifyRun.RunAsync(context, verifier, Text(context, "drop", "false") == "true");
    }

    private async Task ExportAsync(HttpContext context)
    {
        var place = Text(context, "tier", "all");
        if (place != "all")
        {
            Places.RequireKnown(Cache, place);
        }
        context.Response.ContentType = OctetStream;
        await new RecordExporter(Cache).WriteAsync(context.Response.Body, place == "all" ? Places.All(Cache) : [place], Text(context, "prefix", ""), context.RequestAborted);
    }

    private async Task ImportAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null;   // a stream of bounded records
        }
        var importer = new RecordImporter(Cache, exchange.Bounds);
        try
        {
            await importer.ReadAsync(context.Request.Body, context.RequestAborted);
            await Cache.FlushAsync(context.RequestAborted);
        }
        catch (AdminException exception)
        {
            var body = Row();
            body["error"] = exception.Message;
            await AdminJson.WriteAsync(context, body, exception.Status);
            return;
        }
        await AdminJson.WriteAsync(context, Row());

        JsonObject Row() => new() { ["imported"] = importer.Imported, ["present"] = importer.Present, ["bytes"] = importer.Bytes };
    }

    private static string Text(HttpContext context, string name, string fallback) =>
        context.Request.Query.TryGetValue(name, out var value) && value.ToString() is { Length: > 0 } text ? text : fallback;

    private static long Number(HttpContext context, string name, long fallback) =>
        Text(context, name, "") is not { Length: > 0 } text ? fallback
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw new AdminException(400, $"{name} is '{text}'; it must be a whole number.");

    private static ReadOnlyMemory<byte> Key(HttpContext context) => ByteText.TryParse(Text(context, "key", ""), out var key) && !key.IsEmpty
        ? key.Span.ToArray()
        : throw new AdminException(400, "key is missing, or holds a backslash that begins no \\xHH.");
}
