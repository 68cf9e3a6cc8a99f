using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Ferry.Cache.Records;
using Ferry.Cache.Tiers;

namespace Ferry.Cache.Remote.Hosting.Operations;

/// <summary>What is where: the records of a tier, and the places of one key.</summary>
internal sealed class RecordListing(ExchangeHost exchange, TimeProvider clock)
{
    private const int ChunksAtOnce = 1024;

    /// <summary>One object a record.</summary>
    /// <param name="prefix">Of the clients' keys (memory), or of the tier's own names; empty for all.</param>
    public IAsyncEnumerable<JsonObject> ListAsync(string place, string prefix, CancellationToken cancellationToken) =>
        place == Places.Memory ? ListMemoryAsync(prefix, cancellationToken) : ListTierAsync(Places.Find(exchange.Cache, place), prefix, cancellationToken);

    /// <summary>Every place in which a client's key has records.</summary>
    public async Task<JsonObject> StatAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken)
    {
        var places = new JsonArray();
        var names = exchange.NamesOf(key);
        foreach (var summary in Walk().Where(summary => names.Contains(summary.Header.Key)))
        {
            places.Add(ToJson(summary));
        }
        foreach (var tier in exchange.Cache.Tiers)
        {
            foreach (var name in names)
            {
                foreach (var record in await tier.FindAsync(name, cancellationToken))
                {
                    places.Add(ToJson(tier, record, record.Location, record.RecordBytes, null));
                }
            }
        }
        return new JsonObject
        {
            ["found"] = places.Count > 0,
            ["deliverable"] = await exchange.Store.ExistsAsync(key, cancellationToken),
            ["places"] = places,
        };
    }

    /// <summary>All records of the memory, in pieces under its lock.</summary>
    private IEnumerable<RecordSummary> Walk()
    {
        var cursor = 0UL;
        do
        {
            foreach (var summary in exchange.Cache.Memory.Walk(ref cursor, ChunksAtOnce))
            {
                yield return summary;
            }
        }
        while (cursor != 0);
    }

    private async IAsyncEnumerable<JsonObject> ListMemoryAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var summary in Walk())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (summary.Header.ClientKey.ToString().StartsWith(prefix, StringComparison.Ordinal))
            {
                yield return ToJson(summary);
            }
        }
        await Task.CompletedTask;
    }

    private async IAsyncEnumerable<JsonObject> ListTierAsync(GuardedTier tier, string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var listing in tier.ListAsync(cancellationToken))
        {
            if (listing.Location.StartsWith(prefix, StringComparison.Ordinal))
            {
                yield return ToJson(tier, listing.Record, listing.Location, listing.RecordBytes, listing.LastUsed);
            }
        }
    }

    private static JsonObject ToJson(RecordSummary summary)
    {
        var header = summary.Header;
        return new JsonObject
        {
            ["tier"] = Places.Memory,
            ["key"] = header.ClientKey.IsEmpty ? null : header.ClientKey.ToString(),
            ["chunk"] = header.Hash.ToString(),
            ["model"] = header.Model.ToString("x32", CultureInfo.InvariantCulture),
            ["salt"] = header.Salt,
            ["bytes"] = header.RecordBytes,
            ["layout"] = header.Layout.ToString(),
            ["pin"] = summary.Pin?.ToString().ToLowerInvariant(),
            ["readers"] = summary.Leases,
            ["age_seconds"] = Math.Round(summary.Age.TotalSeconds, 3),
            ["idle_seconds"] = Math.Round(summary.Idle.TotalSeconds, 3),
        };
    }

    private JsonObject ToJson(GuardedTier tier, TierRecord? record, string location, long bytes, DateTimeOffset? lastUsed)
    {
        var row = new JsonObject { ["tier"] = tier.Kind, ["location"] = location, ["bytes"] = bytes };
        if (record is not null)
        {
            row["chunk"] = record.Key.Hash.ToString();
            row["model"] = record.Key.Model.ToString("x32", CultureInfo.InvariantCulture);
            row["salt"] = record.Key.Salt;
        }
        if (lastUsed is { } used)
        {
            row["idle_seconds"] = Math.Round(Math.Max(0, (clock.GetUtcNow() - used).TotalSeconds), 3);
        }
        return row;
    }
}
