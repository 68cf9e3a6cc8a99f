namespace Ferry.Router;

public enum NodeRole
{
    Prefill,
    Decode,
}
