using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Ferry.Kv.Text;

namespace Ferry.Kv.Layout;

/// <summary>The text form of a layout: <c>name=value</c> pairs, one an axis, so that a diff shows the axis that differs.</summary>
internal static class KvLayoutText
{
    /// <summary>Far above the longest text that <see cref="Format"/> makes; bounds the work on foreign text.</summary>
    private const int MaxTextLength = 1024;

    private const string OpaqueBytesName = "bytes";

    private static readonly (string Name, Func<KvLayout, string> Value)[] Axes =
    [
        ("layers", layout => Text(layout.Layers)),
        ("heads", layout => $"{layout.FirstHead}..{(long)layout.FirstHead + layout.Heads}/{layout.ModelHeads}"),
        ("head_dim", layout => Text(layout.HeadDim)),
        ("tokens", layout => Text(layout.Tokens)),
        ("dtype", layout => layout.DType.Name()),
        ("scale", layout => layout.Scale.ToString("R", CultureInfo.InvariantCulture)),
        ("order", layout => layout.Order.Name()),
        ("block", layout => Text(layout.BlockTokens)),
        ("packing", layout => layout.Packing.Name()),
        ("block_major", layout => layout.BlockMajor ? "true" : "false"),
        (OpaqueBytesName, layout => layout.OpaqueBytes.ToString(CultureInfo.InvariantCulture)),
    ];

    /// <summary>Without these a text says too little; the others have one value that is meant when they are absent.</summary>
    private static readonly string[] RequiredNames = ["layers", "heads", "head_dim", "tokens", "dtype", "order"];

    /// <summary>An opaque layout has no axes but its bytes; the others have no bytes but what their axes give.</summary>
    public static string Format(KvLayout layout) =>
        string.Join(' ', Axes.Where(axis => layout.IsOpaque ? axis.Name is "order" or OpaqueBytesName : axis.Name != OpaqueBytesName || layout.OpaqueBytes != 0)
            .Select(axis => $"{axis.Name}={axis.Value(layout)}"));

    public static IReadOnlyList<string> Diff(KvLayout left, KvLayout right) =>
        [.. from axis in Axes
            let leftValue = axis.Value(left)
            let rightValue = axis.Value(right)
            where leftValue != rightValue
            select $"{axis.Name}: {leftValue} vs {rightValue}"];

    public static bool TryParse(string text, [NotNullWhen(true)] out KvLayout? layout, [NotNullWhen(false)] out string? error)
    {
        layout = null;
        if (text.Length > MaxTextLength)
        {
            error = $"A layout has at most {MaxTextLength} characters, not {text.Length}.";
            return false;
        }
        if (!TrySplit(text, out var values, out error)) { return false; }
        if (values.GetValueOrDefault("order") == KvOrder.Opaque.Name()) { return TryBuildOpaque(values, out layout, out error); }
        if (RequiredNames.FirstOrDefault(name => !values.ContainsKey(name)) is { } missing)
        {
            error = $"'{missing}=' is missing from the layout '{text}'.";
            return false;
        }
        return TryBuild(values, out layout, out error);
    }

    private static bool TrySplit(string text, out Dictionary<string, string> values, [NotNullWhen(false)] out string? error)
    {
        values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=');
            if (equals < 0)
            {
                error = $"'{pair}' in a layout is not of the form name=value.";
                return false;
            }
            var name = pair[..equals];
            if (!Axes.Any(axis => axis.Name == name))
            {
                error = $"'{name}' is not an axis of a layout{Suggest(name, Axes.Select(axis => axis.Name))}.";
                return false;
            }
            if (!values.TryAdd(name, pair[(equals + 1)..]))
            {
                error = $"'{name}=' stands twice in a layout.";
                return false;
            }
        }
        error = null;
        return true;
    }

    private static bool TryBuildOpaque(
        Dictionary<string, string> values, [NotNullWhen(true)] out KvLayout? layout, [NotNullWhen(false)] out string? error)
    {
        layout = null;
        error = null;
        if (values.Keys.FirstOrDefault(name => name is not ("order" or OpaqueBytesName)) is { } extra)
        {
            error = $"'{extra}=' has no meaning with order=opaque, which has {OpaqueBytesName}= only.";
        }
        else if (!values.TryGetValue(OpaqueBytesName, out var text))
        {
            error = $"'{OpaqueBytesName}=' is missing: order=opaque needs it.";
        }
        else if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes))
        {
            error = $"{OpaqueBytesName}={text} is not a whole number in 0..{KvLayout.MaxOpaqueBytes}.";
        }
        else
        {
            layout = KvLayout.Opaque(bytes);
        }
        return layout is not null;
    }

    private static bool TryBuild(
        Dictionary<string, string> values, [NotNullWhen(true)] out KvLayout? layout, [NotNullWhen(false)] out string? error)
    {
        string? firstError = null;
        var order = Named("order", KvOrders.ByName, null);
        var blocked = order is KvOrder.Nhd or KvOrder.Hnd;
        var (firstHead, endHead, modelHeads) = Heads();
        layout = new KvLayout
        {
            Layers = Number("layers", null),
            ModelHeads = modelHeads,
            FirstHead = firstHead,
            Heads = endHead - firstHead,
            HeadDim = Number("head_dim", null),
            Tokens = Number("tokens", null),
            BlockTokens = Number("block", blocked ? null : 0),
            DType = Named("dtype", KvDTypes.ByName, null),
            Order = order,
            Packing = Named("packing", KvPackings.ByName, blocked ? null : KvPacking.Split),
            BlockMajor = Named("block_major", BooleansByName, false),
            Scale = Scale(),
        };
        error = firstError;
        if (firstError is not null) { layout = null; }
        return firstError is null;

        bool TryTake(string name, bool optional, out string value)
        {
            if (values.TryGetValue(name, out value!)) { return true; }
            if (!optional) { firstError ??= $"'{name}=' is missing: an order with blocks needs it."; }
            return false;
        }

        T Named<T>(string name, IReadOnlyDictionary<string, T> known, T? absent) where T : struct
        {
            if (!TryTake(name, absent is not null, out var value)) { return absent.GetValueOrDefault(); }
            if (known.TryGetValue(value, out var found)) { return found; }
            firstError ??= $"{name}={value} is not known{Suggest(value, known.Keys)}; it is one of {string.Join(", ", known.Keys)}.";
            return default;
        }

        int Number(string name, int? absent)
        {
            if (!TryTake(name, absent is not null, out var value)) { return absent.GetValueOrDefault(); }
            if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) { return number; }
            firstError ??= $"{name}={value} is not a whole number in 0..{int.MaxValue}.";
            return 0;
        }

        float Scale()
        {
            if (!TryTake("scale", optional: true, out var value)) { return 1f; }
            if (float.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var scale)) { return scale; }
            firstError ??= $"scale={value} is not a number.";
            return 1f;
        }

        (int First, int End, int Model) Heads()
        {
            var value = values["heads"];
            var dots = value.IndexOf("..", StringComparison.Ordinal);
            var slash = value.IndexOf('/');
            if (dots >= 0 && slash > dots + 1 && TryDigits(value[..dots], out var first)
                && TryDigits(value[(dots + 2)..slash], out var end) && TryDigits(value[(slash + 1)..], out var model))
            {
                return (first, end, model);
            }
            firstError ??= $"heads={value} is not of the form FIRST..END/MODEL (END not included), as in 0..4/8.";
            return default;
        }
    }

    private static readonly Dictionary<string, bool> BooleansByName = new(StringComparer.Ordinal) { ["false"] = false, ["true"] = true };

    private static bool TryDigits(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Suggest(string name, IEnumerable<string> known) =>
        NearestName.Find(name, known) is { } nearest ? $"; did you mean '{nearest}'?" : "";
}
