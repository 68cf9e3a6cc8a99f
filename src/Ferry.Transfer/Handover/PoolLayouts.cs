using Ferry.Kv.Layout;

namespace Ferry.Transfer.Handover;

/// <summary>Layout texts of peers that are not trusted.</summary>
internal static class PoolLayouts
{
    /// <summary>A layout that means something and lies in whole blocks, or null and why not.</summary>
    public static KvLayout? TryParse(string text, out string error)
    {
        KvLayout layout;
        try
        {
            layout = KvLayout.Parse(text);
        }
        catch (Exception exception) when (exception is FormatException or KvLayoutException)
        {
            error = exception.Message;
            return null;
        }
        if (layout.IsOpaque || layout.BlockTokens == 0 || layout.Tokens % layout.BlockTokens != 0)
        {
            error = $"'{layout}' is no pool: it needs an order with blocks, and tokens that are whole blocks";
            return null;
        }
        error = string.Empty;
        return layout;
    }
}
