"""How a report is written."""

import pytest

from pipeline.evaluation.scripts import script_of


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("工地上三个月没有发工资，老板不接电话。", "simplified"),
        ("工地三個月沒有發工資，老闆不接電話。", "traditional"),
        (
            "我叫林國華，工地上三个月没有发工资，老板也不接电话，请你们帮忙问一下是怎么回事，谢谢你们了。",
            "simplified",
        ),  # a name only
        ("包工头唔好意思见人，冇钱发工资。", "dialect"),
        ("老板说莫得钱，啥子时候发工资也不晓得。", "dialect"),
        ("阿拉伯餐厅的油烟很大，伊拉克商人也来反映过。", "simplified"),
        ("老板说没钱发工资我们等了三个月了家里老人要看病孩子要上学现在连饭都吃不上了", "broken"),
        ("老板说没钱发工资", "simplified"),  # too short to miss punctuation
        ("laoban 说没钱 fa gongzi，我们等了三个月了，家里老人要看病，孩子要 shangxue，没有办法了。", "broken"),
        ("救命救命啊啊啊啊啊啊，楼上天天打人，我们都不敢出门了，请你们快点来人看一看吧。", "broken"),
        ("请打[手机号]找我，[微信号]也行，工地上三个月没有发工资了，老板住在[地址]，不接电话。", "simplified"),
        ("", "simplified"),
    ],
)
def test_the_signs_of_a_script_are_seen(text, script):
    assert script_of(text) == script
