//! Names in the scripts and romanisations of the trade, written by hand from public spellings, each
//! asked in both directions: every spelling against every other of the same party.

use tidewaiter_risk::screening::Matcher;

/// Says which spellings of one party are not taken for one.
fn apart(schema: &str, rows: &[&[&str]]) -> Vec<String> {
    let mut failed = Vec::new();
    for row in rows {
        for (at, one) in row.iter().enumerate() {
            for (place, other) in row.iter().enumerate() {
                let score = Matcher::score(schema, one, other);
                if at != place && score < 0.7 {
                    failed.push(format!("{one} | {other}: {score:.2}"));
                }
            }
        }
    }
    failed
}

/// Says which names of different parties are taken for one.
fn together(schema: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    let mut failed = Vec::new();
    for (one, other) in pairs {
        for (one, other) in [(one, other), (other, one)] {
            let score = Matcher::score(schema, one, other);
            if score >= 0.7 {
                failed.push(format!("{one} | {other}: {score:.2}"));
            }
        }
    }
    failed
}

fn holds(schema: &str, same: &[&[&str]], different: &[(&str, &str)]) {
    let (apart, together) = (apart(schema, same), together(schema, different));
    assert!(apart.is_empty(), "not taken for one: {apart:#?}");
    assert!(together.is_empty(), "taken for one: {together:#?}");
}

#[test]
fn vietnamese_with_and_without_marks() {
    holds(
        "Person",
        &[
            &["Hồ Chí Minh", "Ho Chi Minh", "HO CHI MINH", "Hồ Chí Minh"],
            &["Võ Nguyên Giáp", "Vo Nguyen Giap", "GIAP, Vo Nguyen"],
            &["Nguyễn Phú Trọng", "NGUYEN PHU TRONG", "Nguyen Phu Trong"],
            &["Đặng Thị Ngọc Thịnh", "Dang Thi Ngoc Thinh"],
            &["Phạm Văn Đồng", "PHAM VAN DONG"],
        ],
        &[
            ("Nguyễn Văn Trỗi", "Nguyen Van Linh"),
            ("Phạm Văn Đồng", "PHAM HUNG"),
            ("Hồ Chí Minh", "HO DUC VIET"),
        ],
    );
}

// Hangul; McCune-Reischauer with and without its marks; Revised Romanisation; the North's own; Kontsevich.
#[test]
fn korean_persons_in_every_romanisation() {
    holds(
        "Person",
        &[
            &["김일성", "Kim Il-sung", "Kim Ilsŏng", "Gim Il-seong", "Kim Il Song", "Ким Ир Сен"],
            &["김정일", "Kim Jong Il", "Kim Chŏngil", "Gim Jeong-il", "Ким Чен Ир", "金正日"],
            &["박정희", "Park Chung-hee", "Pak Chŏnghŭi", "Bak Jeong-hui", "Пак Чон Хи", "朴正熙"],
            &[
                "최룡해",
                "Choe Ryong Hae",
                "Ch'oe Ryonghae",
                "Choi Ryong-hae",
                "Цой Рён Хэ",
                "崔龍海",
            ],
            &["장성택", "Jang Song Thaek", "Chang Sŏngt'aek", "Jang Seong-taek", "Чан Сон Тхэк"],
            &["리용호", "Ri Yong Ho", "Yi Yongho", "Lee Yong-ho", "Ли Ён Хо", "李容浩"],
            &["노무현", "Roh Moo-hyun", "No Muhyŏn", "Но Му Хён", "盧武鉉"],
        ],
        &[
            ("김일성", "Kim Jong Il"),
            ("김정일", "Kim Jong Un"),
            ("Ким Чен Ир", "Ким Чен Ын"),
            ("박정희", "Park Geun-hye"),
            ("金正日", "Ким Чен Нам"),
        ],
    );
}

#[test]
fn russian_as_the_english_the_french_and_the_germans_write_it() {
    holds(
        "Person",
        &[
            &["Михаил Горбачёв", "Mikhail Gorbachev", "Michail Gorbatschow", "Mikhaïl Gorbatchev"],
            &["Борис Ельцин", "Boris Yeltsin", "Boris Jelzin"],
            &["Никита Хрущёв", "Nikita Khrushchev", "Nikita Chruschtschow", "Nikita Khrouchtchev"],
            &["Пётр Чайковский", "Pyotr Tchaikovsky", "Petr Chaikovskii", "Peter Tschaikowski"],
            &["Сергей Шойгу", "Sergei Shoigu", "SHOYGU, Sergey", "Sergej Schoigu"],
        ],
        &[("Борис Ельцин", "Boris Berezovsky"), ("Никита Хрущёв", "Nikita Mikhalkov")],
    );
}

#[test]
fn ukrainian_in_its_own_romanisations_and_through_russian() {
    holds(
        "Person",
        &[
            &[
                "Володимир Зеленський",
                "Volodymyr Zelenskyy",
                "Volodymyr Zelensky",
                "Wolodymyr Selenskyj",
            ],
            &["Віктор Янукович", "Viktor Yanukovych", "YANUKOVICH, Viktor", "Виктор Янукович"],
            &["Юлія Тимошенко", "Yulia Tymoshenko", "Julija Tymoschenko", "Юлия Тимошенко"],
            &["Ігор Коломойський", "Ihor Kolomoyskyi", "Igor Kolomoisky", "Игорь Коломойский"],
            &["Дмитро Фірташ", "Dmytro Firtash", "Dmitry Firtash", "Дмитрий Фирташ"],
            &["Євген Марчук", "Yevhen Marchuk", "Evgeny Marchuk"],
        ],
        &[("Віктор Янукович", "Viktor Yushchenko"), ("Юлія Тимошенко", "Yulia Mostova")],
    );
}

#[test]
fn chinese_in_pinyin_and_in_wade_giles() {
    holds(
        "Person",
        &[
            &["毛泽东", "毛澤東", "Mao Zedong", "Mao Tse-tung", "ZEDONG Mao"],
            &["周恩来", "Zhou Enlai", "Chou En-lai"],
            &["邓小平", "Deng Xiaoping", "Teng Hsiao-p'ing", "Teng Hsiao-ping"],
            &["刘少奇", "Liu Shaoqi", "Liu Shao-ch'i"],
            &["蒋经国", "Jiang Jingguo", "Chiang Ching-kuo"],
        ],
        &[("毛泽东", "Mao Xinyu"), ("周恩来", "Zhou Yongkang"), ("邓小平", "Teng Ying-ch'ao")],
    );
}

#[test]
fn arabic_and_persian_letters() {
    holds(
        "Person",
        &[
            &["محمد حسني مبارك", "Muhammad Hosni Mubarak", "Mohamed Husni Mobarak"],
            &["صدام حسين", "Saddam Hussein", "SADDAM Husain"],
            &["بشار الأسد", "Bashar al-Assad", "Bashar Asad"],
            &["أسامة بن لادن", "Usama bin Laden", "Osama bin Ladin"],
            &["عبد الرحمن السديس", "Abd al-Rahman al-Sudais", "Abdulrahman al Sudais"],
            &["Abd al-Rahman al-Sudais", "Abdulrahman Alsudais"],
            &["محمود احمدی‌نژاد", "Mahmoud Ahmadinejad"],
            &["علی خامنه‌ای", "Ali Khamenei"],
            &["حسن روحانی", "Hassan Rouhani", "Hasan Ruhani"],
            &["قاسم سلیمانی", "Qasem Soleimani", "Ghassem Soleymani"],
        ],
        &[
            ("محمد حسني مبارك", "Muhammad Hosni Zaim"),
            ("صدام حسين", "Hussein Kamel"),
            ("حسن روحانی", "Hassan Khomeini"),
        ],
    );
}

// Half translation, half transliteration: Korea, trading, general, bank, shipping, airline, mining,
// development, insurance, centre and joint venture in Korean, Russian, Chinese, Vietnamese, Arabic.
#[test]
fn firms_translated_into_five_languages() {
    holds(
        "Company",
        &[
            &[
                "조선릉라도무역총회사",
                "Korea Rungrado General Trading Corporation",
                "Корейская генеральная торговая корпорация Рунградо",
                "朝鲜绫罗岛贸易总公司",
                "Tổng công ty Thương mại Rungrado Triều Tiên",
            ],
            &[
                "شركة رونغرادو التجارية العامة الكورية",
                "Korea Rungrado General Trading Corporation",
            ],
            &[
                "조선대성은행",
                "Korea Daesong Bank",
                "Корейский банк Тэсон",
                "朝鲜大圣银行",
                "Ngân hàng Daesong Triều Tiên",
            ],
            &["بنك دايسونغ الكوري", "Korea Daesong Bank"],
            &["طيران كوريو", "Air Koryo"],
            &["고려항공", "Air Koryo", "Эйр Корё", "高丽航空", "Hàng không Koryo"],
            &[
                "조선광업개발무역회사",
                "Korea Mining Development Trading Corporation",
                "Корейская горнодобывающая торговая корпорация развития",
                "朝鲜矿业开发贸易公司",
                "Công ty Thương mại Phát triển Khai khoáng Triều Tiên",
            ],
            &[
                "조선민족보험총회사",
                "Korea National Insurance Corporation",
                "Корейская национальная страховая корпорация",
                "朝鲜民族保险总公司",
                "Tổng công ty Bảo hiểm Quốc gia Triều Tiên",
                "شركة التأمين الوطنية الكورية",
            ],
            &[
                "조선콤퓨터쎈터",
                "Korea Computer Center",
                "Корейский компьютерный центр",
                "朝鲜计算机中心",
                "Trung tâm Máy tính Triều Tiên",
            ],
            &[
                "금강해운회사",
                "Kumgang Shipping Company",
                "Судоходная компания Кымган",
                "金刚海运公司",
            ],
            &["라선합영회사", "Rason Joint Venture Company", "Совместное предприятие Расон"],
        ],
        &[
            ("대한항공", "Air Koryo"),
            ("고려대학교", "Koryo Bank"),
            ("조선대성은행", "Korea Daesong General Trading Corporation"),
            ("Корейский банк Тэсон", "Korea Kwangson Bank"),
            ("朝鲜绫罗岛贸易总公司", "Korea Ryonbong General Corporation"),
            ("조선민족보험총회사", "Korea Mining Development Trading Corporation"),
            ("Tổng công ty Thương mại Rungrado Triều Tiên", "Korea Pugang Trading Corporation"),
        ],
    );
}
